"""How long each thing takes in the benches that run on the simulator's clock, in seconds.

Round numbers near those that were seen in Azure; a figure that is a ratio to the least possible
time depends on them little. What a VM's PATCH takes (3 to 7 s) was recorded.
"""

#: Of an ARM call, by verb, or by verb and type (`Behaviour.call_seconds`).
ARM = {
    "GET": 0.06,
    "PATCH": 0.3,
    "PUT": 0.4,
    "DELETE": 0.25,
    "PUT microsoft.authorization/roleassignments": 0.25,
    "POST microsoft.resourcegraph/resources": 0.4,
}
#: From the answer of a machine's write to its end: so many seconds, and up to so many less or more.
MACHINE_OPERATION, MACHINE_OPERATION_SPREAD = 5.0, 2.0
#: Of one call to the directory (Microsoft Graph).
DIRECTORY = 0.1
#: Of one call to a table, or of a page of 1,000 rows.
TABLE = 0.003
#: Of one call to the queue.
QUEUE = 0.005


def least_for_one_machine(operation: float) -> float:
    """Read it, write it, wait until the write has ended after `operation`, and see that it did."""
    return ARM["GET"] + ARM["PATCH"] + operation + ARM["GET"]
