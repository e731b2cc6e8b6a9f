"""Verilog of the Chisel design, built with Verilator, behind a memory and a host of ours (`bench.cpp`)."""
