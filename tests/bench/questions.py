"""What every server is asked: the documents, and their variables for one set of data."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from tests.bench.data import Data

LEVELS = 5
"""Every tree of the generated data is this deep."""

_AD_ACCOUNT = (
    "accountId number name lifeCycleStatus financialStatus currencyCode timeZone createdAt viewerRoles"  # 8 scalars
)


def _level(left: int) -> str:
    below = f" managerAccounts {{ nodes {{ {_level(left - 1)} }} }}" if left > 1 else ""
    return f"customerId name adAccounts {{ nodes {{ ...Shown }} }}{below}"


HIERARCHY = f"""
query Hierarchy($id: ID!) {{ managerAccount(id: $id) {{ {_level(LEVELS)} }} }}
fragment Shown on AdAccount {{ {_AD_ACCOUNT} }}
"""
LINKED = """
query Linked($id: ID!) {
  managerAccount(id: $id) {
    name
    adAccounts(relationship: [ACCOUNT_LINK], first: 50) {
      pageInfo { hasNextPage }
      edges {
        relationship
        node {
          accountId number name lifeCycleStatus currencyCode viewerRoles
          owner {
            __typename
            ... on ManagerAccount { customerId name number }
            ... on RestrictedManagerAccount { customerId }
          }
        }
      }
    }
  }
}
"""
CHECK = """
query Check($capability: Capability!, $target: ID!) {
  check(capability: $capability, target: $target) { allowed code }
}
"""
CHECK_MANY = "query CheckMany($checks: [CheckInput!]!) { checkMany(checks: $checks) { allowed code } }"
ACCESSORS = """
query WhoCanAccess($id: ID!) {
  adAccount(id: $id) {
    accountId
    name
    accessors(first: 50) { edges { roles node { userId userName } } }
  }
}
"""


class Question(NamedTuple):
    """One request. `name` is how tables call it."""

    name: str
    query: str
    variables: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The JSON that is posted."""
        return orjson.dumps({"query": self.query, "variables": self.variables})


def questions(data: Data) -> list[Question]:
    """The four queries of the comparison, small to large."""
    found = [Question(f"Q1 tree {size:,}", HIERARCHY, {"id": str(root)}) for size, root in data.roots.items()]
    found.append(Question("Q2 linked 50", LINKED, {"id": str(data.agency)}))
    found.append(Question("Q3 check", CHECK, data.checks[0]))
    found += [
        Question(f"Q3 checkMany {number:,}", CHECK_MANY, {"checks": data.checks[:number]}) for number in (100, 1_000)
    ]
    found.append(Question("Q4 who can access", ACCESSORS, {"id": str(data.staffed)}))
    return found
