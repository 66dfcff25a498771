"""What tasks declare of themselves: inputs, outputs, needs. Data only; the graph follows from it."""

from cingulum.worker.pipelines.declared import Dataset, Declared, Level
from cingulum.worker.pipelines.standard import STANDARD, standard

__all__ = ["STANDARD", "Dataset", "Declared", "Level", "standard"]
