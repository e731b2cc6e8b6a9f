"""Statements of the wmma level as CUDA C++: fragments, and copies that run in the background."""

from __future__ import annotations

from xdsl.ir import Operation

from vtac.analysis.nests.nest import element_type_of
from vtac.dialects import wmma
from vtac.dialects.wmma.ops import fragment_of
from vtac.targets.cuda.emit.expressions import ATOM, SUM
from vtac.targets.cuda.emit.statements import StatementPrinter
from vtac.targets.cuda.emit.types import element_bytes, fragment_type


class FragmentStatementPrinter(StatementPrinter):
    """Prints kernels of the wmma level."""

    def _warp(self, op: Operation, depth: int) -> bool:
        if isinstance(op, wmma.FragmentsOp):
            fragment = op.fragments.type.data
            self._line(f"{fragment_type(fragment)} {self.name(op.fragments, 'fragment')}[{fragment.count}];", depth)
        elif isinstance(op, wmma.FillFragmentOp):
            self._line(f"wmma::fill_fragment({self._fragment(op)}, {self.constant(op.value)});", depth)
        elif isinstance(op, wmma.LoadMatrixSyncOp):
            self._line(f"wmma::load_matrix_sync({self._fragment(op)}, {self._tile(op)});", depth)
            if fragment_of(op.fragments).element == "tf32":
                self._round(self._fragment(op), depth)
        elif isinstance(op, wmma.StoreMatrixSyncOp):
            source = self._fragment(op)
            memory = f"&{self.text(op.memory)}[{self.text(op.offset)}]"
            self._line(f"wmma::store_matrix_sync({memory}, {source}, {self._leading(op)}, wmma::mem_row_major);", depth)
        elif isinstance(op, wmma.MmaSyncOp):
            accumulator = f"{self.text(op.accumulator)}[{self.text(op.accumulator_index)}]"
            a = f"{self.text(op.a)}[{self.text(op.a_index)}]"
            b = f"{self.text(op.b)}[{self.text(op.b_index)}]"
            self._line(f"wmma::mma_sync({accumulator}, {a}, {b}, {accumulator});", depth)
        elif isinstance(op, wmma.MapFragmentOp):
            self._map(op, depth)
        elif isinstance(op, wmma.MultiplyFragmentOp):
            self._multiply(op, depth)
        else:
            return self._asynchronous(op, depth)
        return True

    def _fragment(
        self, op: wmma.FillFragmentOp | wmma.LoadMatrixSyncOp | wmma.StoreMatrixSyncOp | wmma.MapFragmentOp
    ) -> str:
        return f"{self.text(op.fragments)}[{self.text(op.index)}]"

    def _tile(self, op: wmma.LoadMatrixSyncOp) -> str:
        place = f"&{self.text(op.memory)}[{self.text(op.offset)}]"
        if fragment_of(op.fragments).element == "u8":  # bytes in memory have no sign of their own
            place = f"reinterpret_cast<const unsigned char *>({place})"
        layout = ", wmma::mem_row_major" if fragment_of(op.fragments).role == "accumulator" else ""
        return f"{place}, {self._leading(op)}{layout}"

    def _leading(self, op: wmma.LoadMatrixSyncOp | wmma.StoreMatrixSyncOp) -> str:
        return str(op.leading.value.data) if op.named is None else self.text(op.named)

    def _round(self, fragment: str, depth: int) -> None:
        """The elements of a fragment of tf32 are rounded, each lane its own; the hardware would cut them off."""
        self._line("#pragma unroll", depth)
        self._line(f"for (int element = 0; element < {fragment}.num_elements; ++element) {{", depth)
        self._line(f"{fragment}.x[element] = wmma::__float_to_tf32({fragment}.x[element]);", depth + 1)
        self._line("}", depth)

    def _map(self, op: wmma.MapFragmentOp, depth: int) -> None:
        fragment = self._fragment(op)
        self._line("#pragma unroll", depth)
        self._line(f"for (int element = 0; element < {fragment}.num_elements; ++element) {{", depth)
        self.inline[op.body.block.args[0]] = (f"{fragment}.x[element]", ATOM)
        for inner in op.body.block.ops:
            if isinstance(inner, wmma.YieldOp):
                self._line(f"{fragment}.x[element] = {self.text(inner.value)};", depth + 1)
            else:
                self._print(inner, depth + 1)
        self._line("}", depth)

    def _multiply(self, op: wmma.MultiplyFragmentOp, depth: int) -> None:
        fragment = f"{self.text(op.fragments)}[{self.text(op.index)}]"
        factors = f"{self.text(op.factors)}[{self.text(op.factors_index)}]"
        self._line("#pragma unroll", depth)
        self._line(f"for (int element = 0; element < {fragment}.num_elements; ++element) {{", depth)
        self._line(f"{fragment}.x[element] *= {factors}.x[element];", depth + 1)
        self._line("}", depth)

    def _source(self, op: wmma.AsyncCopyOp) -> str:
        """Where a copy reads, as a pointer."""
        return f"&{self.text(op.source)}[{self.text(op.source_offset)}]"

    def _asynchronous(self, op: Operation, depth: int) -> bool:
        if isinstance(op, wmma.AsyncCopyOp):
            count = op.elements.value.data
            size = count * element_bytes(element_type_of(op.target))
            target = f"&{self.text(op.target)}[{self.text(op.target_offset)}]"
            source = self._source(op)
            zero = "" if op.present is None else f", {self.text(op.present, SUM)} ? 0 : {size}"
            self._line(f"__pipeline_memcpy_async({target}, {source}, {size}{zero});", depth)
        elif isinstance(op, wmma.AsyncCommitOp):
            self._line("__pipeline_commit();", depth)
        elif isinstance(op, wmma.AsyncWaitOp):
            groups = str(op.pending.value.data) if op.named is None else self.text(op.named)
            self._line(f"__pipeline_wait_prior({groups});", depth)
        else:
            return False
        self.headers.add("cuda_pipeline.h")
        return True
