"""Policy files made to take all the time or memory there is. Run as a program, it reads each of
them within narrow limits of both, and prints what came of it.
"""

import resource
import sys

from lanyard.policy import PolicyError
from lanyard.policy.load import parse_policy
from tests.support.examples import identity_id

#: For all of them together.
CPU_SECONDS = 20
MEMORY_BYTES = 1024**3

_HEAD = f"version: 1\nidentities: {{i: {{id: {identity_id().text}}}}}\nrules:\n"
_MACHINE = "Microsoft.Compute/virtualMachines"
_ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)

BOMBS = {
    "aliases of aliases": _ALIASES,
    "aliases of aliases for a key": _ALIASES + "? *a9\n: 1\n",
    "an alias of itself": "&a [*a]",
    "deep lists": "[" * 100_000,
    "many deep lists": "version: [" + ("[" * 45 + "]" * 45 + ",") * 500 + "]",
    "deep mappings": "{a: " * 100_000,
    "deep blocks": "- " * 50_000 + "x",
    "a long hexadecimal number": "version: 0x" + "f" * 500_000,
    "a long binary number": "version: 0b" + "1" * 500_000,
    "a long number in base 60": "version: 1" + ":59" * 300_000,
    "a character that is none": 'version: "\\UFFFFFFFF"',
    "unknown keys": "version: 1\n" + "".join(f"k{n}: 1\n" for n in range(20_000)),
    "unknown types": f"{_HEAD}  - {{name: a, match: {{types: [{', '.join(['Mx/v'] * 20_000)}]}}}}",
    "too much": "# " + "x" * 1_000_000,
    "a pattern of stars": _HEAD
    + f"  - {{name: a, match: {{types: [{_MACHINE}], names: ['{'*a' * 60}'],"
    + f" exclude: {{names: ['{'*a' * 60}*']}}}}, attach: [i]}}\n",
    "rules that are alike": _HEAD
    + "".join(
        f"  - {{name: r{n}, match: {{types: [{_MACHINE}]}}, attach: [i]}}\n" for n in range(2_000)
    )
    + f"  - {{name: r0, match: {{types: [{_MACHINE}]}}, attach: [i]}}\n",
}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for name, text in BOMBS.items():
        try:
            parse_policy("lanyard.yaml", text)
        except PolicyError as error:
            sys.stdout.write(f"{name}: {error.problems[0]}\n")


if __name__ == "__main__":
    main()
