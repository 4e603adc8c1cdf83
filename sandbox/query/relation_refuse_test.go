package query

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	byUnit   = "a sub-query with aggregates, GROUP BY or DISTINCT has to group by the privacy ID: rows of several units stay apart until noise is added"
	onlyUses = "COUNT(DISTINCT student_id) counts privacy units, and GROUP BY student_id in a sub-query makes one row of each; nothing else is made of their IDs"
)

// relationRefusals lists questions whose FROM or WITH is refused, with the whole message and hint: ¦ marks
// the place that the error must point to. SELECT COUNT(*) AS n stands before those that begin with FROM.
var relationRefusals = []struct{ sql, message, hint string }{
	{"FROM kr_edu.students a RIGHT ¦JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "RIGHT JOIN is not supported", "exchange the two sides and write LEFT JOIN"},
	{"FROM kr_edu.students a FULL ¦JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "FULL JOIN is not supported", "use LEFT JOIN, or UNION ALL of both sides"},
	{"FROM kr_edu.students a CROSS ¦JOIN kr_edu.enrolments b", "CROSS JOIN, which joins every row with every other, is not supported", hintJoin},
	{"FROM kr_edu.students a NATURAL ¦JOIN kr_edu.enrolments b", "NATURAL JOIN is not supported", "write ON or USING with the columns"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON ¦TRUE", "joining on anything but column = column is not supported", "compute the value in a sub-query and join on its name; put other conditions in WHERE"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a.math ¦> 5", "joining on anything but column = column is not supported", "compute the value in a sub-query and join on its name; put other conditions in WHERE"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id ¦OR a.grade = b.year", "joining on anything but column = column is not supported", "compute the value in a sub-query and join on its name; put other conditions in WHERE"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON LOWER(a.gender) ¦= b.course", "joining on anything but column = column is not supported", "compute the value in a sub-query and join on its name; put other conditions in WHERE"},
	{"FROM kr_edu.students a ¦JOIN kr_edu.enrolments b ON a.grade = b.year", "a join of two tables of one unit space has to be on the privacy ID", "add a.student_id = b.student_id to ON; a sub-query has to select it"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id ¦<> b.student_id", "joining on anything but column = column is not supported", "compute the value in a sub-query and join on its name; put other conditions in WHERE"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id ¦= b.course", "the privacy ID student_id can be joined with a privacy ID only", "compare it with the privacy ID of the other side"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id ¦= a.gender", "both columns are of one side of the join", "compare a column of the one side with one of the other; put other conditions in WHERE"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON ¦student_id = b.student_id", "student_id is a column of kr_edu.students and of kr_edu.enrolments", "write a.student_id or b.student_id"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a.grade ¦= b.course", "grade is an integer, and course is text", "join columns of one type"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a.math ¦= b.score", "math and score are numbers of different resolution, or with fractions: joining on them is not supported", "join on keys, or on whole numbers"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND b.note ¦= a.gender", "the column note is hidden: it is not stored", "use another column"},
	{"FROM kr_edu.students JOIN ¦kr_edu.students USING (student_id)", "two items of FROM have the name students", "give one of them another name with AS"},
	{"FROM kr_edu.students a ¦JOIN kr_edu.enrolments b USING (student_id) AS j", "a name for a join is not supported", "name the two sides instead"},
	{"FROM (kr_edu.students a ¦JOIN kr_edu.enrolments b USING (student_id)) AS j", "a name for a join is not supported", "name the two sides instead"},
	{"FROM kr_edu.students a JOIN (¦kr_edu.enrolments b JOIN kr_edu.huge h USING (student_id)) USING (student_id)", "a join in parentheses is not supported", "write the joins one after the other, or put this one in a sub-query"},
	{"FROM kr_edu.students a ¦JOIN gb_edu.pupils b ON a.student_id = b.pupil", "a join of two unit spaces, kr_edu/student and gb_edu/pupil, is not supported", "write UNION ALL, which adds the rows of both up; each unit space is charged"},
	{"FROM (SELECT math FROM kr_edu.students) a JOIN kr_edu.enrolments b ON ¦a.student_id = b.student_id", "a has no column student_id", "its columns are math"},
	{"FROM (SELECT math, gender FROM kr_edu.students) a ¦JOIN kr_edu.enrolments b ON a.gender = b.course", "a join of two tables of one unit space has to be on the privacy ID", "add a's privacy ID = b.student_id to ON; a sub-query has to select it"},
	{"FROM (SELECT student_id FROM kr_edu.students UNION ALL SELECT pupil FROM gb_edu.pupils) a ¦JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "a join of rows of several unit spaces, gb_edu/pupil and kr_edu/student, is not supported", "join the branches before UNION ALL"},
	{"FROM kr_edu.enrolments e ¦JOIN pub.regions r ON e.region = r.name", "a public table has to be joined on its whole unique key, and code is missing", "its unique key is code"},
	{"FROM kr_edu.enrolments e ¦JOIN pub.offers o ON e.course = o.course", "a public table has to be joined on its whole unique key, and year is missing", "its unique key is course, year"},
	{"FROM pub.regions r ¦JOIN kr_edu.enrolments e ON e.region = r.code", "a public table stands left of JOIN", "write the table of a unit space first, and the public table after JOIN"},
	{"FROM ¦pub.regions", "a question of a public table alone is not supported", "join it to a table of a unit space; its own rows are public facts that need no question"},
	{"FROM (¦SELECT code FROM pub.regions WHERE coastal) r", "a question of a public table alone is not supported", "join it to a table of a unit space; its own rows are public facts that need no question"},
	{"FROM kr_edu.enrolments e ¦JOIN (SELECT code FROM pub.regions WHERE coastal) r ON e.region = r.code", "a sub-query of a public table is not supported in a join", "join the public table itself, and put conditions on it in WHERE"},
	{"FROM kr_edu.enrolments e JOIN pub.regions r ON e.student_id ¦= r.code", "the privacy ID student_id can be joined with a privacy ID only", "compare it with the privacy ID of the other side"},
	{"FROM (¦SELECT name, COUNT(*) AS k FROM pub.regions GROUP BY name) t", "grouping a public table is not supported", hintJoin},
	{"FROM (¦SELECT code FROM pub.regions UNION ALL SELECT course FROM pub.offers) t", "a public table as a branch of UNION ALL is not supported", "join the public table in each branch"},
	{"FROM (SELECT region FROM kr_edu.enrolments UNION ALL ¦SELECT code FROM pub.regions) t", "a public table as a branch of UNION ALL is not supported", "join the public table in each branch"},
	{"SELECT COUNT(DISTINCT ¦b.student_id) AS n FROM kr_edu.students a LEFT JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "the privacy ID student_id of the right side of a LEFT JOIN is NULL where nothing belongs to a row", "use the left side's"},
	{"FROM kr_edu.students a LEFT JOIN kr_edu.enrolments b ON a.student_id = b.student_id LEFT JOIN kr_edu.huge c ON b.student_id ¦= c.student_id", "the privacy ID student_id of the right side of a LEFT JOIN is NULL where nothing belongs to a row", "use the left side's"},
	{"SELECT COUNT(DISTINCT ¦student_id) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "student_id is a column of kr_edu.students and of kr_edu.enrolments", "write a.student_id or b.student_id"},
	{"SELECT AVG(¦x.math) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id", "x is not a name in FROM", "the names are a, b"},
	{"FROM kr_edu.huge a ¦JOIN kr_edu.huge b USING (student_id) JOIN kr_edu.huge c USING (student_id)", "one unit can have more than 1048576 rows in this join", "group one side by the privacy ID first, in a sub-query"},
	{"FROM kr_edu.students, LATERAL (¦SELECT 1 AS x) t", "a comma in FROM, which joins every row with every other, is not supported", hintJoin},
	{"FROM kr_edu.students a JOIN ¦LATERAL (SELECT student_id FROM kr_edu.enrolments) b ON a.student_id = b.student_id", "LATERAL is not supported", "leave LATERAL out: a sub-query sees its own FROM only"},
	{"FROM (¦SELECT gender, COUNT(*) AS k FROM kr_edu.students GROUP BY gender) t", byUnit, "add student_id to it, or group at the end of the question"},
	{"FROM (¦SELECT COUNT(*) AS k FROM kr_edu.students) t", byUnit, "add student_id to it, or group at the end of the question"},
	{"FROM (¦SELECT DISTINCT gender FROM kr_edu.students) t", byUnit, "add student_id to it, or group at the end of the question"},
	{"FROM (SELECT ¦DISTINCT ON (student_id) student_id, math FROM kr_edu.students) t", "DISTINCT ON is not supported", "write FIRST(x ORDER BY …) with GROUP BY the privacy ID"},
	{"FROM (SELECT ¦DISTINCT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id) t", "DISTINCT beside GROUP BY or aggregates is not supported", "leave DISTINCT out"},
	{"FROM (¦SELECT gender FROM kr_edu.students HAVING COUNT(*) > 1) t", byUnit, "add student_id to it, or group at the end of the question"},
	{"FROM (SELECT student_id, ¦math FROM kr_edu.students GROUP BY student_id) t", "math is not in GROUP BY: one unit may have several values of it", "write MIN, MAX, SUM, AVG or FIRST(… ORDER BY …) of it, or add it to GROUP BY"},
	{"FROM (SELECT student_id, ¦math + MAX(reading) AS k FROM kr_edu.students GROUP BY student_id) t", "math is not in GROUP BY: one unit may have several values of it", "write MIN, MAX, SUM, AVG or FIRST(… ORDER BY …) of it, or add it to GROUP BY"},
	{"FROM (SELECT ¦* FROM kr_edu.students GROUP BY student_id) t", "* beside GROUP BY is not supported", "name the columns of GROUP BY, and aggregates"},
	{"FROM (SELECT student_id, ¦ANY_VALUE(math) AS k FROM kr_edu.students GROUP BY student_id) t", "ANY_VALUE is not supported: which value it takes would be up to the engine", "write MIN(x), or FIRST(x ORDER BY …)"},
	{"FROM (SELECT student_id, ¦ARRAY_AGG(math) AS k FROM kr_edu.students GROUP BY student_id) t", "ARRAY_AGG is not supported", "(ARRAY_AGG(x ORDER BY …))[1] is the first value; FIRST(x ORDER BY …) is shorter"},
	{"FROM (SELECT student_id, (¦ARRAY_AGG(math ORDER BY born))[2] AS k FROM kr_edu.students GROUP BY student_id) t", "an element of an array is not supported, unless it is the first of ARRAY_AGG", "write (ARRAY_AGG(x ORDER BY …))[1], or LAST(x ORDER BY …)"},
	{"FROM (SELECT student_id, ¦MEDIAN(math) AS k FROM kr_edu.students GROUP BY student_id) t", "MEDIAN over the rows of one unit is not supported", hintFeatures},
	{"FROM (SELECT student_id, ¦STDDEV(math) AS k FROM kr_edu.students GROUP BY student_id) t", "STDDEV over the rows of one unit is not supported", hintFeatures},
	{"FROM (SELECT student_id, ¦PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY math) AS k FROM kr_edu.students GROUP BY student_id) t", "PERCENTILE_CONT over the rows of one unit is not supported", hintFeatures},
	{"FROM (SELECT student_id, ¦FIRST(math) AS k FROM kr_edu.students GROUP BY student_id) t", "FIRST needs an order", "write FIRST(x ORDER BY y)"},
	{"FROM (SELECT student_id, FIRST(math ORDER BY ¦1) AS k FROM kr_edu.students GROUP BY student_id) t", "ordering by a constant is no order", "order by a column"},
	{"FROM (SELECT student_id, FIRST(math ORDER BY ¦born NULLS FIRST) AS k FROM kr_edu.students GROUP BY student_id) t", "NULLS FIRST is not supported: NULL comes last", "leave it out"},
	{"FROM (SELECT student_id, FIRST(math ORDER BY ¦born USING <) AS k FROM kr_edu.students GROUP BY student_id) t", "ORDER BY … USING is not supported", "write ASC or DESC"},
	{"FROM (SELECT student_id, FIRST(math ORDER BY born) FILTER (WHERE ¦immigrant) AS k FROM kr_edu.students GROUP BY student_id) t", "FILTER of FIRST is not supported", "put the condition in WHERE of a sub-query"},
	{"FROM (SELECT student_id, ¦SUM(math ORDER BY born) AS k FROM kr_edu.students GROUP BY student_id) t", "ORDER BY in SUM changes nothing", "leave it out"},
	{"FROM (SELECT student_id, ¦SUM(DISTINCT math) AS k FROM kr_edu.students GROUP BY student_id) t", "SUM(DISTINCT …) over the rows of one unit is not supported", "leave DISTINCT out, or count distinct values"},
	{"FROM (SELECT student_id, ¦SUM(*) AS k FROM kr_edu.students GROUP BY student_id) t", "SUM takes one argument", "write COUNT(*), or SUM(x)"},
	{"FROM (SELECT student_id, SUM(¦school) AS k FROM kr_edu.students GROUP BY student_id) t", "SUM needs bounded values, and school has no useful bounds: school is declared without bounds", "SUM(CLAMP(school, lower, upper)) bounds it: choose limits by what the values mean"},
	{"FROM (SELECT student_id, SUM(¦clicks) AS k FROM kr_edu.huge GROUP BY student_id) t", "the sum of clicks over the 1000000 rows that one unit can have has 2^53 steps or more", "bound it with CLAMP(…, lower, upper)"},
	{"FROM (SELECT student_id, SUM(¦gender) AS k FROM kr_edu.students GROUP BY student_id) t", "a number is needed here, and gender is text", "CAST(… AS DOUBLE PRECISION) reads text as a number, NULL where it is none"},
	{"FROM (SELECT student_id, MAX(¦immigrant) AS k FROM kr_edu.students GROUP BY student_id) t", "conditions have no order", "write BOOL_OR or BOOL_AND"},
	{"FROM (SELECT student_id, BOOL_OR(¦math) AS k FROM kr_edu.students GROUP BY student_id) t", "BOOL_OR needs a condition, and math is a number", "compare it with something"},
	{"FROM (SELECT student_id, COUNT(¦NULL) AS k FROM kr_edu.students GROUP BY student_id) t", "NULL has nothing to count or add up", "name a column"},
	{"FROM (SELECT student_id, COUNT(DISTINCT ¦student_id) AS k FROM kr_edu.students GROUP BY student_id) t", "the privacy ID of one unit has one value", "COUNT(*) counts the rows of the unit"},
	{"FROM (SELECT student_id, MIN(¦student_id) AS k FROM kr_edu.students GROUP BY student_id) t", "the privacy ID of one unit has one value", "COUNT(*) counts the rows of the unit"},
	{"FROM (SELECT student_id, SUM(¦COUNT(*)) AS k FROM kr_edu.students GROUP BY student_id) t", "an aggregate cannot stand inside another", "compute the inner one in a sub-query"},
	{"FROM (SELECT student_id, COUNT(*) FILTER (WHERE ¦math) AS k FROM kr_edu.students GROUP BY student_id) t", "FILTER needs a condition, and math is a number", "compare it with something"},
	{"FROM (SELECT student_id, ¦COUNT(*) OVER () AS k FROM kr_edu.students) t", "window functions (OVER) are not supported", "use GROUP BY"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id HAVING ¦math > 3) t", "math is not in GROUP BY: one unit may have several values of it", "write MIN, MAX, SUM, AVG or FIRST(… ORDER BY …) of it, or add it to GROUP BY"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id HAVING ¦COUNT(*)) t", "HAVING needs a condition, and k is a number", "compare it with something"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students WHERE ¦COUNT(*) > 1 GROUP BY student_id) t", "an aggregate cannot stand in WHERE", "conditions on aggregates go in HAVING"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY ¦ROLLUP (student_id)) t", "a grouping set is not supported", "name the GROUP BY columns, and ask a second question for the totals"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id, ¦9) t", "there is no column 9 in the SELECT list", "count the SELECT list from 1"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id, ¦'x') t", "grouping by a constant changes nothing", "leave it out"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id, ¦COUNT(*)) t", "an aggregate cannot stand in GROUP BY", "group by columns"},
	{"FROM (SELECT student_id, ¦student_id AS b, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id) t", "the privacy ID is selected twice", "select it once"},
	{"FROM (SELECT student_id, LOWER(¦student_id) AS b FROM kr_edu.students) t", "the privacy ID student_id cannot be used here", onlyUses},
	{"FROM (SELECT student_id, ¦student_id AS b FROM kr_edu.students) t", "the privacy ID is selected twice", "select it once"},
	{"FROM (SELECT math, ¦reading AS math FROM kr_edu.students) t", "two columns of the sub-query have the name math", "name one of them with AS"},
	{"FROM (SELECT ¦math + 1 FROM kr_edu.students) t", "a column of a sub-query has no name", "name it with AS"},
	{"FROM (SELECT ¦math AS \"A b\" FROM kr_edu.students) t", "the name \"A b\" is not supported", "use lower-case letters, digits and _, beginning with a letter"},
	{"FROM (SELECT ¦NULL AS x FROM kr_edu.students) t", "the column x is always NULL", "leave the column out"},
	{"FROM (SELECT ¦name FROM kr_edu.students) t", "the column name is hidden: it is not stored", "use another column"},
	{"FROM (SELECT math FROM kr_edu.students) t WHERE ¦reading > 3", "t has no column reading", "its columns are math"},
	{"FROM (SELECT math FROM kr_edu.students) t WHERE ¦students.math > 3", "students is not the dataset of this question", "leave out what stands before the column"},
	{"SELECT COUNT(DISTINCT ¦student_id) AS n FROM (SELECT math FROM kr_edu.students) t", "t has no column student_id", "its columns are math"},
	{"FROM (SELECT student_id, math FROM kr_edu.students) t WHERE ¦student_id = 'x'", "the privacy ID student_id cannot be used here", onlyUses},
	{"FROM (SELECT student_id, math FROM kr_edu.students) t GROUP BY ¦student_id", "the privacy ID student_id cannot be used here", onlyUses},
	{"FROM (SELECT math FROM kr_edu.students ORDER BY ¦math) t", "ORDER BY in a sub-query is not supported", "FIRST(x ORDER BY …) is the first by order of one unit; ORDER BY of the answer goes to the end of the question"},
	{"FROM (SELECT math FROM kr_edu.students LIMIT ¦5) t", "LIMIT in a sub-query is not supported", "which rows remained would depend on other units; LIMIT of the answer goes to the end of the question"},
	{"FROM (SELECT math FROM kr_edu.students OFFSET ¦5) t", "OFFSET in a sub-query is not supported", "which rows remained would depend on other units; OFFSET of the answer goes to the end of the question"},
	{"FROM (SELECT math FROM kr_edu.students ¦FOR UPDATE) t", "FOR UPDATE and FOR SHARE are not supported", "leave it out"},
	{"FROM (¦VALUES (1), (2)) t", "VALUES is not supported", "write one SELECT, such as SELECT gender, COUNT(*) AS n FROM org.dataset GROUP BY gender"},
	{"FROM (¦SELECT math FROM kr_edu.students) t(a)", "column names in FROM are not supported", "name the columns in the SELECT list with AS"},
	{"FROM (SELECT math FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (¦SELECT * FROM kr_edu.students) a) a) a) a) a) a) a) a) t", "sub-queries are nested more than 8 deep", "write one sub-query of several"},
	{"FROM (SELECT ¦* FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id)) t", "* over a join is not supported", "name the columns, or write a.*"},
	{"FROM (SELECT ¦x.* FROM kr_edu.students a) t", "x is not the dataset of this question", "leave out what stands before the column"},
	{"FROM (SELECT math FROM kr_edu.students ¦UNION SELECT reading FROM kr_edu.students) t", "UNION, INTERSECT and EXCEPT are not supported", "write UNION ALL; COUNT(DISTINCT …) of the privacy ID counts each unit once"},
	{"FROM (SELECT math FROM kr_edu.students ¦INTERSECT SELECT reading FROM kr_edu.students) t", "UNION, INTERSECT and EXCEPT are not supported", "write UNION ALL; COUNT(DISTINCT …) of the privacy ID counts each unit once"},
	{"FROM (SELECT math FROM kr_edu.students ¦EXCEPT ALL SELECT reading FROM kr_edu.students) t", "UNION, INTERSECT and EXCEPT are not supported", "write UNION ALL; COUNT(DISTINCT …) of the privacy ID counts each unit once"},
	{"FROM (SELECT math FROM kr_edu.students UNION ALL ¦SELECT reading, math FROM kr_edu.students) t", "the branches of UNION ALL have 1 and 2 columns", "select the same columns in each branch"},
	{"FROM (SELECT math FROM kr_edu.students UNION ALL SELECT ¦gender FROM kr_edu.students) t", "gender is text, and a number is needed here", "CAST(x AS DOUBLE PRECISION) reads text as a number, NULL where it is none"},
	{"FROM (SELECT ¦born FROM kr_edu.students UNION ALL SELECT tested FROM kr_edu.students) t", "born is a date, and a timestamp is needed here", "CAST(x AS TIMESTAMP) is the midnight that a date begins with"},
	{"FROM (SELECT student_id, math FROM kr_edu.students UNION ALL SELECT ¦math, student_id FROM kr_edu.students) t", "a column of UNION ALL is the privacy ID in one branch only", "select the privacy ID in the same place of each branch, or in none"},
	{"FROM (SELECT ¦NULL AS a FROM kr_edu.students UNION ALL SELECT NULL FROM kr_edu.students) t", "the column a is always NULL", "leave the column out"},
	{"FROM (SELECT math FROM kr_edu.students UNION ALL SELECT math FROM kr_edu.students ORDER BY ¦math) t", "ORDER BY in a sub-query is not supported", "FIRST(x ORDER BY …) is the first by order of one unit; ORDER BY of the answer goes to the end of the question"},
	{"FROM (SELECT math FROM kr_edu.students UNION ALL SELECT math FROM kr_edu.students LIMIT ¦3) t", "LIMIT in a sub-query is not supported", "which rows remained would depend on other units; LIMIT of the answer goes to the end of the question"},
	{"WITH ¦RECURSIVE r AS (SELECT math FROM kr_edu.students UNION ALL SELECT math FROM r) SELECT COUNT(*) AS n FROM r", "WITH RECURSIVE is not supported", "write the steps one after the other"},
	{"WITH ¦r(a) AS (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM r", "column names in WITH are not supported", "name the columns in the SELECT list with AS"},
	{"WITH r AS (SELECT math FROM kr_edu.students), ¦r AS (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM r", "two common table expressions have the name r", "name one of them otherwise"},
	{"WITH ¦r AS (DELETE FROM kr_edu.students RETURNING math) SELECT COUNT(*) AS n FROM r", "only SELECT is supported in WITH", "write WITH name AS (SELECT …)"},
	{"WITH r AS (SELECT math FROM ¦s), s AS (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM r JOIN s ON r.math = s.math", "a dataset is named org.dataset", "name it with its organisation, as in FROM kr_edu.students"},
	{"WITH r AS (SELECT math FROM ¦r) SELECT COUNT(*) AS n FROM r", "a dataset is named org.dataset", "name it with its organisation, as in FROM kr_edu.students"},
	{"WITH ¦r AS (SELECT student_id FROM kr_edu.students) SELECT COUNT(*) AS n FROM kr_edu.students WHERE student_id IN (SELECT student_id FROM r)", "the common table expression r is not used", "leave it out"},
	{"FROM kr_edu.students s WHERE ¦EXISTS (SELECT 1 FROM kr_edu.enrolments e WHERE e.student_id = s.student_id)", "a sub-query outside FROM is not supported", "put it in FROM, joined on the privacy ID; a number that is public can be written out"},
	{"FROM kr_edu.students WHERE math > ¦(SELECT AVG(math) FROM kr_edu.students)", "a sub-query outside FROM is not supported", "put it in FROM, joined on the privacy ID; a number that is public can be written out"},
	{"FROM kr_edu.students GROUP BY ¦student_id", "the privacy ID student_id cannot be used here", onlyUses},
	{"SELECT ¦BOOL_OR(immigrant) AS n FROM kr_edu.students", "bool_or is supported in a sub-query that groups by the privacy ID only", "write COUNT(*) FILTER (WHERE …)"},
	{"WITH a AS (SELECT student_id FROM kr_edu.huge), b AS (SELECT x.student_id FROM a x ¦JOIN a y USING (student_id)), c AS (SELECT x.student_id FROM b x JOIN b y USING (student_id)) SELECT COUNT(*) AS n FROM c", "one unit can have more than 1048576 rows in this join", "group one side by the privacy ID first, in a sub-query"},
	{"WITH a AS (SELECT student_id FROM ¦kr_edu.students), b AS (SELECT student_id FROM a UNION ALL SELECT student_id FROM a), c AS (SELECT student_id FROM b UNION ALL SELECT student_id FROM b), d AS (SELECT student_id FROM c UNION ALL SELECT student_id FROM c), e AS (SELECT student_id FROM d UNION ALL SELECT student_id FROM d), f AS (SELECT student_id FROM e UNION ALL SELECT student_id FROM e) SELECT COUNT(*) AS n FROM f", "a question reads at most 16 datasets, one that is named twice counting twice", "ask in several questions"},
	{"FROM kr_edu.students a ¦JOIN kr_edu.enrolments b USING (grade)", "kr_edu.enrolments has no column grade", "its columns are course, year, region, began, seen, passed, room, credits, score"},
	{"FROM kr_edu.students a ¦JOIN kr_edu.enrolments b USING (nothing)", "kr_edu.students has no column nothing", "see the declarations for the columns"},
	{"FROM (SELECT credits / 7 AS y, student_id FROM kr_edu.enrolments) a JOIN (SELECT absences / 7 AS y, student_id FROM kr_edu.students) b ON a.student_id = b.student_id AND a.y ¦= b.y", "y and y are numbers of different resolution, or with fractions: joining on them is not supported", "join on keys, or on whole numbers"},
	{"FROM ¦generate_series(1, 2) a JOIN kr_edu.students b ON a.x = b.grade", "a function in FROM is not supported", "write FROM org.dataset"},
	{"FROM kr_edu.students ¦TABLESAMPLE SYSTEM (10) JOIN kr_edu.enrolments b USING (student_id)", "TABLESAMPLE is not supported", "leave it out: noise is added to the whole dataset's answer"},
	{"SELECT a.gender, COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id) GROUP BY ¦a.student_id, a.gender", "the privacy ID student_id cannot be used here", onlyUses},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id) WHERE ¦a.student_id = b.student_id", "the privacy ID student_id cannot be used here", onlyUses},
	{"SELECT SUM(score) AS n FROM kr_edu.enrolments e JOIN pub.offers o ON e.course = o.course AND e.year = o.year WHERE ¦year > 2000", "year is a column of kr_edu.enrolments and of pub.offers", "write e.year or o.year"},
	{"FROM (SELECT student_id, ¦SUM(math) OVER (PARTITION BY student_id) AS k FROM kr_edu.students) t", "window functions (OVER) are not supported", "use GROUP BY"},
	{"FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id ¦WINDOW w AS ()) t", "WINDOW is not supported", "use GROUP BY"},
	{"FROM (SELECT student_id, ¦(SELECT 1) AS k FROM kr_edu.students) t", "a sub-query outside FROM is not supported", "put it in FROM, joined on the privacy ID; a number that is public can be written out"},
	{"FROM (¦SELECT 1 AS x) t", "the question names no dataset", "add FROM org.dataset"},
	{"FROM (TABLE kr_edu.students) t JOIN kr_edu.enrolments e ON ¦t.a = e.b", "t has no column a", "see the declarations for the columns"},
	{"FROM kr_edu.students ORDER BY ¦students.student_id", "the privacy ID student_id cannot be used here", onlyUses},
	{"SELECT COUNT(DISTINCT ¦student_id) AS n FROM (SELECT student_id AS person FROM kr_edu.students) t", "t has no column student_id", "select it in the sub-query"},
	{"SELECT SUM(n) AS s FROM (SELECT student_id, SUM(math ¦/ (reading - balance)) AS n FROM kr_edu.students GROUP BY student_id) t", "SUM needs bounded values, and math / (reading - balance) has no useful bounds: the divisor reading - balance may come close to 0", "SUM(CLAMP(math / (reading - balance), lower, upper)) bounds it: choose limits by what the values mean"},
	{"SELECT SUM(¦n) AS s FROM (SELECT student_id, MAX(school) AS n FROM kr_edu.students GROUP BY student_id) t", "SUM needs bounded values, and n has no useful bounds: school is declared without bounds", "SUM(CLAMP(n, lower, upper)) bounds it: choose limits by what the values mean"},
	{"SELECT AVG(¦n) AS s FROM (SELECT student_id, school AS n FROM kr_edu.students) t", "AVG needs bounded values, and n has no useful bounds: school is declared without bounds", "AVG(CLAMP(n, lower, upper)) bounds it: choose limits by what the values mean"},
}

func TestRefusedRelations(t *testing.T) {
	c := world(t)
	for _, test := range relationRefusals {
		sql := test.sql
		if strings.HasPrefix(sql, "FROM") {
			sql = "SELECT COUNT(*) AS n " + sql
		}
		before, after, _ := strings.Cut(sql, "¦")
		e := refused(t, c, before+after)
		if e.Message != test.message || e.Hint != test.hint {
			t.Errorf("%s\n says %q, hint %q", sql, e.Message, e.Hint)
		}
		if column := utf8.RuneCountInString(before) + 1; e.Line != 1 || e.Column != column {
			t.Errorf("%s\n points to %d:%d, want 1:%d", sql, e.Line, e.Column, column)
		}
	}
	if len(relationRefusals) < 60 {
		t.Errorf("only %d refusals", len(relationRefusals))
	}
}

// Every dataset of a question is looked up as if it were the only one: one that is absent or hidden is
// the whole answer, wherever it stands.
func TestNotFoundInRelations(t *testing.T) {
	c := world(t)
	for _, sql := range []string{
		"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN ¦no.table b ON a.student_id = b.student_id AND nonsense(a)",
		"SELECT COUNT(*) AS n FROM ¦no.table a JOIN kr_edu.students b ON TRUE",
		"SELECT COUNT(*) AS n FROM (SELECT x(y) FROM ¦no.table) t",
		"SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students UNION ALL SELECT z FROM ¦no.table) t",
		"WITH w AS (SELECT * FROM ¦no.table) SELECT COUNT(*) AS n FROM w",
	} {
		before, after, _ := strings.Cut(sql, "¦")
		if e := refused(t, c, before+after); !e.NotFound || e.Message != notFound || e.Hint != "" || e.Column != len(before)+1 {
			t.Errorf("%s: %+v", sql, e)
		}
	}
}
