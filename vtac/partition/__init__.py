"""Parts of pack-for-vta: what a function computes, how its tensors are laid out, the device functions it becomes."""
