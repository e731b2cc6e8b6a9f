// RUN: vtac-opt %s --verify-diagnostics -p convert-schedule-to-scf

func.func @virtual_threads() {
  // expected-error @+1 {{loop 't' still stands for virtual threads: it is no host loop}}
  schedule.for %t = 0 to 2 kind "cthread" {
    vta.sync
  }
  func.return
}
