"""What must hold, by name. A promise that is not kept yet is a line in `NOT_YET`: take the line out
when it lands, and every history and every test of its name counts.
"""

from collections.abc import Collection

#: Name → what it says. Numbers are those of the promises; what has none has always been promised.
PROMISES = {
    "theirs": "nothing that a person made is taken, unless a person had it adopted",
    "needed": "nothing that a living resource is due is taken from it",
    "due": "nothing that a living resource is due is missing without being held or reported",
    "held": "what is held is on the list of what is held, also where only a sweep saw it",
    "nobody": "nobody has what no rule gives and no person gave",
    "given": "nothing is attached that no rule gives",
    "reported": "a new policy takes nothing before its difference is on record",
    "16.1 make before break": "nothing is taken while something that is wanted is missing",
    "16.2 gone": "a living machine loses nothing by a read that answers 404",
    "16.3 grace": "what is no longer wanted stays for the grace period",
    "16.3 own identity": "an identity of its own stays for deleteAfterHours",
    "16.4 used elsewhere": "what the body names outside its identity block stays, with its roles",
    "16.5 exclude": "what is excluded keeps what it has of the rule",
    "16.6 budget": "no more assignments go in an hour than perHour",
    "16.6 every removal": "no more goes in an hour than perHour, detaches and identities included",
    "16.6 repair": "the detach of a repair, and of a dead reference, is a removal like any other",
    "16.6 percent": "no more goes in an hour than a share of everything",
    "16.6 mode": "the mode is respected",
    "16.6 pause": "nothing goes while removals are paused",
    "16.7 release": "what a person released stays released until it is done",
    "16.7 dismissal": "what a person dismissed stays undone",
    "17.1 edited": "an assignment that a person changed is theirs",
    "17.1 attached again": "what a person attaches where Lanyard had attached it before is theirs",
    "17.1 handed over": "what Terraform gives in place of Lanyard is Terraform's",
    "17.1 two installations": "an installation takes away only what it made itself",
    "17.1 made again": "an identity that a person made under a name of Lanyard's is theirs",
    "17.2 read before write": "what is not Lanyard's is not written over",
    "17.3 unseen": "before a grant goes, whoever has its identity is asked",
    "17.3 relearning": "what a living resource needs outlives lost rows; after a loss of all no "
    "role goes before a sweep has read everything",
    "17.3 as it was": "ten minutes and a sweep after a loss of all the estate is as it was",
    "17.3 put back": "tables as they were once take nothing that a person made or that is needed",
    "17.3 graces": "tables that were lost or put back make nothing go earlier",
    "17.3 drift": "after rows were lost or put back all that is due comes to be there",
    "17.3 list": "after rows were lost or put back what is held comes to be on the list",
    "17.3 known again": "after rows were lost an identity of its own is known again for what it is",
    "17.3 left over": "after rows were lost or put back what nobody needs goes or is on the list",
    "17.4 in use": "an identity that something else has is not deleted",
    "17.4 gone": "the identity of a resource that is gone stays for deleteAfterHours",
    "17.5 watched": "what somebody else's assignment gave is given when it goes",
    "17.6 moved": "a moved resource loses what no rule wants any more, by the graces, and no more",
    "18.1 made for it": "an identity that was not made for a resource is not taken for its own",
    "18.2 one condition": "what a resource has on a condition is not written over for another one",
    "18.2 drift": "what is due comes to be there on the condition that the rule gives it on",
    "18.3 privileged": "a role that hands out rights is not given",
    "18.4 taken away": "a conflict of owners is what somebody took away, and the fourth time",
    "27.1 observed": "what only observing rules ask for is not given",
    "27.1 given by": "what a rule gave goes while it is in mode full, or no longer in the policy",
    "27.2 released": "what is released from adoption is as it was before, and is not taken",
    "18.5 tags": "an identity that is made has the tags of the policy",
}

NOT_YET: frozenset[str] = frozenset()


class Violation(AssertionError):
    """Promises were broken. `promises`: their names."""

    def __init__(self, promises: Collection[str], account: str) -> None:
        super().__init__(account)
        self.promises = frozenset(promises)
