package access

// purposeTable is every purpose of the W3C Data Privacy Vocabulary (DPV) 2.3, with the purposes
// directly broader than it. It is closed: a term that is not here is an error, because a rule on
// a misspelt purpose would guard nothing. A test compares it with the published table.
//
// From w3c/dpv f01a55c, dpv.csv, columns term and hasbroader. Copyright © the contributors to the
// Data Privacy Vocabulary, published by the W3C Data Privacy Vocabularies and Controls Community
// Group under the W3C Software and Document License,
// https://www.w3.org/copyright/software-license-2023/. Changed: other columns, the root Purpose
// and broader terms that are not purposes (RightsFulfilment < LegalObligation) are left out.
//
// One line a term: "Term < Broader Broader". The line breaks around it are part of the search.
const purposeTable = `
AcademicResearch < ResearchAndDevelopment
AccountManagement <
Advertising < Marketing
AgeVerification < Verification
CombatClimateChange < PublicBenefit
CommercialPurpose <
CommercialResearch < CommercialPurpose ResearchAndDevelopment
CommunicationForCustomerCare < CommunicationManagement CustomerCare
CommunicationManagement <
CounterMoneyLaundering < FraudPreventionAndDetection
Counterterrorism < PublicBenefit
CustomerCare < CustomerManagement
CustomerClaimsManagement < CustomerManagement
CustomerManagement <
CustomerOrderManagement < CustomerManagement
CustomerRelationshipManagement < CustomerManagement
CustomerSolvencyMonitoring < CustomerManagement
DataAltruism < PublicBenefit
DeliveryOfGoods < RequestedServiceProvision
DirectMarketing < Marketing
DisputeManagement < OrganisationGovernance
EnforceAccessControl < EnforceSecurity
EnforceSecurity <
EstablishContractualAgreement <
FraudPreventionAndDetection < MisusePreventionAndDetection
FulfilmentOfContractualObligation < FulfilmentOfObligation
FulfilmentOfObligation <
HumanResourceManagement <
IdentityAuthentication < EnforceSecurity
IdentityVerification < Verification
ImproveExistingProductsAndServices < OptimisationForController
ImproveHealthcare < PublicBenefit
ImproveInternalCRMProcesses < CustomerRelationshipManagement OptimisationForController
ImprovePublicServices < PublicBenefit
ImproveTransportMobility < PublicBenefit
IncreaseServiceRobustness < OptimisationForController
InternalResourceOptimisation < OptimisationForController
LegalCompliance < FulfilmentOfObligation
MaintainFraudDatabase < FraudPreventionAndDetection
Marketing <
MemberPartnerManagement < OrganisationGovernance
MisusePreventionAndDetection < EnforceSecurity
NonCommercialPurpose <
NonCommercialResearch < NonCommercialPurpose ResearchAndDevelopment
OptimisationForConsumer < ServiceOptimisation
OptimisationForController < ServiceOptimisation
OptimiseUserInterface < OptimisationForConsumer
OrganisationComplianceManagement < OrganisationGovernance
OrganisationGovernance <
OrganisationRiskManagement < OrganisationGovernance
PaymentManagement < ServiceManagement
Personalisation <
PersonalisedAdvertising < Advertising Personalisation
PersonalisedBenefits < ServicePersonalisation
PersonnelBehaviourMonitoring < PersonnelMonitoring
PersonnelHiring < PersonnelManagement
PersonnelManagement < HumanResourceManagement
PersonnelMonitoring < PersonnelManagement
PersonnelOffboarding < PersonnelManagement
PersonnelOnboarding < PersonnelHiring
PersonnelPayment < PersonnelManagement
PersonnelPerformanceEvaluation < PersonnelPerformanceManagement
PersonnelPerformanceManagement < PersonnelManagement PersonnelMonitoring
PersonnelPerformanceMonitoring < PersonnelMonitoring PersonnelPerformanceManagement
PersonnelPerformancePrediction < PersonnelPerformanceManagement
PersonnelPromotionManagement < PersonnelManagement
PersonnelTerminationManagement < PersonnelManagement
PersonnelWorkloadManagement < PersonnelManagement
PoliticalCampaign < Advertising Personalisation
ProtectionOfIPR < FulfilmentOfObligation
ProtectionOfNationalSecurity < PublicBenefit
ProtectionOfPublicSecurity < PublicBenefit
ProvideEventRecommendations < ProvidePersonalisedRecommendations
ProvideOfficialStatistics < PublicBenefit
ProvidePersonalisedRecommendations < ServicePersonalisation
ProvideProductRecommendations < ProvidePersonalisedRecommendations
PublicBenefit <
PublicPolicyMaking < PublicBenefit
PublicRelations < Marketing
RecordManagement <
RecruitmentAdvertising < Advertising PersonnelHiring
RecruitmentApplicantBackgroundCheck < RecruitmentManagement
RecruitmentApplicantCriminalBackgroundCheck < RecruitmentManagement
RecruitmentApplicantInformationAuthentication < RecruitmentManagement
RecruitmentApplicantSelection < RecruitmentManagement
RecruitmentApplicationAnalysis < RecruitmentApplicationManagement
RecruitmentApplicationManagement < RecruitmentManagement
RecruitmentApplicationScreening < RecruitmentApplicationManagement
RecruitmentInterviewAnalysis < RecruitmentInterviewManagement
RecruitmentInterviewAssessment < RecruitmentInterviewManagement
RecruitmentInterviewManagement < RecruitmentManagement
RecruitmentInterviewScheduling < RecruitmentInterviewManagement
RecruitmentManagement < PersonnelHiring
RecruitmentTargetedAdvertising < RecruitmentAdvertising TargetedAdvertising
RepairImpairments < ServiceManagement
RequestedServiceProvision < ServiceProvision
ResearchAndDevelopment <
RightsFulfilment <
ScientificResearch < ResearchAndDevelopment
SearchFunctionalities < ServiceProvision
SellDataToThirdParties < SellProducts
SellInsightsFromData < SellProducts
SellProducts < ServiceProvision
SellProductsToDataSubject < SellProducts
ServiceAccessDetermination < ServiceManagement
ServiceManagement <
ServiceMonitoring < ServiceManagement
ServiceOptimisation < ServiceManagement
ServicePersonalisation < Personalisation ServiceManagement
ServiceProvision < ServiceManagement
ServiceRegistration < ServiceManagement
ServiceUsageAnalytics < ServiceMonitoring
SocialMediaMarketing < Marketing
TargetedAdvertising < PersonalisedAdvertising
TechnicalServiceProvision < ServiceProvision
UserInterfacePersonalisation < ServicePersonalisation
VendorManagement <
VendorPayment < VendorManagement
VendorRecordsManagement < VendorManagement
VendorSelectionAssessment < VendorManagement
Verification < EnforceSecurity
`
