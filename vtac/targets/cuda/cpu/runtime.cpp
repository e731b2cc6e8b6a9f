// The runtime as one unit of compilation.
#include "copies.cpp"
#include "faults.cpp"
#include "fibers.cpp"
#include "job.cpp"
#include "memory.cpp"
#include "races.cpp"
#include "shadow.cpp"
