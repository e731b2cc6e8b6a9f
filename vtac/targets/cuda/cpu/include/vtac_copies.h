// cp.async: a destination is poisoned from the copy's issue until its group has been waited for.
#pragma once

inline void __pipeline_memcpy_async(
    void* destination, const void* source, std::size_t bytes, std::size_t zero_fill = 0,
    int line = __builtin_LINE()) {
    ::vtac::copy_async(destination, source, bytes, zero_fill, line);
}

inline void __pipeline_commit() { ::vtac::commit_copies(); }

inline void __pipeline_wait_prior(std::size_t groups) { ::vtac::wait_for_copies(groups); }
