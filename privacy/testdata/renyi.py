"""Prints the vectors of privacy/testdata/renyi.json, from dp_accounting's Rényi accountant.

python -m venv v && v/bin/pip install dp_accounting==0.6.0 numpy==2.4.6 scipy==1.17.1 && v/bin/python renyi.py > renyi.json
"""

import importlib.metadata
import json
import math

from dp_accounting import dp_event
from dp_accounting import privacy_accountant
from dp_accounting.rdp import rdp_privacy_accountant as rdp

# Among them 23.256, and the default pairs of accounts of ε = 1, 3 and 10 and δ = 1e-6.
ORDERS = [1.5, 2, 4, 8, 8.5, 9.422, 16, 22.055, 23.256, 23.45, 24.4, 32, 57.125, 60, 128, 256, 1000]


def divergences(event):
    """The accountant's divergence of an event, at every order."""
    accountant = rdp.RdpAccountant(ORDERS, privacy_accountant.NeighboringRelation.ADD_OR_REMOVE_ONE)
    accountant.compose(event)
    return [float(d) for d in accountant._rdp]  # its only way out without a conversion


def laplace():
    """Noise of scale b on a sum that moves by 1: ε = 1/b."""
    for epsilon in [1e-4, 1e-3, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20]:
        yield {"epsilon": epsilon, "divergences": divergences(dp_event.LaplaceDpEvent(1 / epsilon))}


def gaussian():
    """Noise of deviation σ on a sum that moves by 1."""
    for sigma in [1, 1.5, 2, 5, 10, 50, 100]:
        yield {"sigma": sigma, "divergences": divergences(dp_event.GaussianDpEvent(sigma))}


def response():
    """Randomised response on two values; its p is that of an answer drawn at random."""
    for epsilon in [0.01, 0.1, 0.5, 1, 2, 5]:
        p = 2 / (1 + math.exp(epsilon))
        accountant = rdp.RdpAccountant(ORDERS, privacy_accountant.NeighboringRelation.REPLACE_ONE)
        accountant.compose(dp_event.RandomizedResponseDpEvent(p, 2))
        yield {"epsilon": epsilon, "divergences": [float(d) for d in accountant._rdp]}


def compositions():
    """Histories of several kinds of noise, converted at each order by itself."""
    histories = [
        [("laplace", 0.01, 464)],
        [("laplace", 0.1, 7)],
        [("laplace", 0.6, 1), ("laplace", 0.01, 40)],
        [("laplace", 0.5, 3), ("gaussian", 20, 10)],
        [("gaussian", 10, 22)],
        [("laplace", 0.05, 200), ("laplace", 1, 1), ("gaussian", 50, 1000)],
    ]
    for history in histories:
        parts = [
            dp_event.SelfComposedDpEvent(
                dp_event.LaplaceDpEvent(1 / size) if kind == "laplace" else dp_event.GaussianDpEvent(size), count)
            for kind, size, count in history
        ]
        sums = divergences(dp_event.ComposedDpEvent(parts))
        yield {
            "history": [{"kind": kind, "size": size, "count": count} for kind, size, count in history],
            "divergences": sums,
            # ε at each order by itself, for this δ.
            "delta": 1e-6,
            "epsilons": [rdp.compute_epsilon([o], [d], 1e-6)[0] for o, d in zip(ORDERS, sums)],
        }


def caps():
    """The divergence d that the library converts to ε at an order, given δ; 0 where there is none,
    or where another of its bounds gives a smaller δ.

    Its ε is d plus a number that depends on order and δ alone, once d is not tiny. Its δ for that d and ε must
    be the δ given.
    """
    for epsilon in [0.1, 0.5, 1, 3, 10, 100]:
        for delta in [1e-12, 5e-8, 4.5e-7, 5e-7, 1e-6, 1e-3]:
            found = []
            for order in ORDERS:
                d = epsilon + 1000 - rdp.compute_epsilon([order], [1000], delta)[0]
                back = rdp.compute_delta([order], [d], epsilon)[0] if d > 0 else 0
                found.append(d if math.isclose(back, delta, rel_tol=1e-6) else 0)
            yield {"epsilon": epsilon, "delta": delta, "caps": found}


vectors = {
    "source": "dp_accounting " + importlib.metadata.version("dp_accounting"),
    "orders": ORDERS,
    "laplace": list(laplace()),
    "gaussian": list(gaussian()),
    "response": list(response()),
    "compositions": list(compositions()),
    "caps": list(caps()),
}
lines = []
for name, value in vectors.items():
    if isinstance(value, list) and isinstance(value[0], dict):
        text = "[\n  " + ",\n  ".join(json.dumps(v) for v in value) + "\n ]"
    else:
        text = json.dumps(value)
    lines.append(f" {json.dumps(name)}: {text}")
print("{\n" + ",\n".join(lines) + "\n}")
