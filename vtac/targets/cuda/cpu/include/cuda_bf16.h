// Stands in for CUDA's header of this name when kernel text is compiled for the CPU.
#pragma once
#include "vtac_cpu.h"
