"""Matrix units of GPUs: which machine does what, with what evidence, and a way to find out what yours does.

    table()        every row: machine, formats, how products are added, who found it out
    Model          what a matrix unit does, on Fractions: the definition
    fit(probe)     the model of a machine, from at most 200 of its dot products
    script()       a program that asks a GPU these, without fp16sim; fit reads the file that it writes

>>> import fp16sim as fs
>>> fs.hardware.fit(fs.accumulators.TensorCore("ampere").dot).model.group
8
"""

from .fit import Fit, fit
from .model import Model, block_sum, model_of
from .probes import Probe
from .script import script
from .table import Row, Table, table

__all__ = ["Fit", "Model", "Probe", "Row", "Table", "block_sum", "fit", "model_of", "script", "table"]
