"""Work on several processes or machines: batches on any `concurrent.futures.Executor`, which survive their workers."""
