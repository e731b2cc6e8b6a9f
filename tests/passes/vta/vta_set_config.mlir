// RUN: vtac-opt %s -p vta-set-config | filecheck %s
// RUN: vtac-opt %s -p vta-set-config,vta-set-config | filecheck %s
// RUN: not vtac-opt %s -p 'vta-set-config{file="/no/such/file.json"}' 2>&1 | filecheck %s --check-prefix=MISSING

// CHECK:      builtin.module attributes {vta.config = {
// CHECK-SAME: LOG_BLOCK = 4
// CHECK-SAME: LOG_INP_BUFF_SIZE = 15
// MISSING:    /no/such/file.json
func.func @f() {
  func.return
}
