"""The mark of the last sweep in memory, and tables as a sweep leaves them."""

from dataclasses import dataclass, field

from lanyard.ports.marks import Mark
from lanyard.record.relearning import KEY, PARTITION
from lanyard.record.rows import MARK
from tests.support.memory_table import MemoryTable


@dataclass
class MemoryMarks:
    """Outlives the tables."""

    mark: Mark = field(default_factory=Mark)

    async def read(self) -> Mark:
        return self.mark

    async def write(self, mark: Mark) -> None:
        self.mark = mark


def as_swept(control: MemoryTable, *others: MemoryTable) -> None:
    """As if a sweep had read everything once: then the tables may be believed."""
    control.seed(PARTITION, KEY, {"at": "1.0", "waits": ""})
    for table in others:
        table.seed(MARK, MARK, {"at": "1.0"})
