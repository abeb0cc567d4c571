"""Pairs of policies by chance on a large estate: what `lanyard diff` foresees is what happens."""

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from lanyard.policy import PolicyError
from tests.support.estate import parsed
from tests.support.policy_pairs import changed, random_policy
from tests.support.what_happens import filled, foreseen_and_there

#: So many pairs, each on so many resources.
PAIRS, SIZE = 10, 2000
_SHOWN = 20


def by_chance(seed: int | None = None, pairs: int = PAIRS, size: int = SIZE) -> str:
    """The account of the first pair that deviates, with its seed; "" for none. As many at a time as
    there are processors: each is the work of one.
    """
    first = random.SystemRandom().getrandbits(32) if seed is None else seed
    seeds = range(first, first + pairs)
    with ProcessPoolExecutor(initializer=logging.disable) as processes:
        accounts = processes.map(_account, seeds, [size] * pairs)
        for number, account in zip(seeds, accounts, strict=True):
            if account:
                processes.shutdown(wait=False, cancel_futures=True)
                return account
            done = f"pair {number - first + 1} of {pairs}, seed {number}: as foreseen\n"
            sys.stderr.write(done)
    return ""


def _account(seed: int, size: int) -> str:
    return asyncio.run(one_pair(seed, size))


async def one_pair(seed: int, size: int) -> str:
    """Where one pair deviates, with the two policies; "" for nowhere. The same for a seed."""
    dice = random.Random(seed)
    estate, contents = filled(size, seed)
    old = _good(lambda: random_policy(dice, estate.subscription, contents.identities[0]))
    new = _good(lambda: changed(old, dice))
    found = await foreseen_and_there(estate, old, new)
    if not found:
        return ""
    shown = "\n".join(found[:_SHOWN])
    return f"seed {seed}: {len(found)} deviations\nold: {old}\nnew: {new}\n{shown}"


def _good(draw: Callable[[], str]) -> str:
    """The first that is a policy: rules by chance may contradict each other."""
    while True:
        text = draw()
        with contextlib.suppress(PolicyError):
            parsed(text)
            return text
