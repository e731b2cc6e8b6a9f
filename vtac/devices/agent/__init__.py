"""The agent: what runs beside an accelerator and lends it to others.

These modules need Python 3.8 and its standard library, and nothing else of vtac: `vtac.devices.bundle` packs
them into one file, which is copied to a board. Local devices use the same modules without a connection.

    faults      what is refused, with a kind and a remedy
    frames      messages on a stream of bytes: a JSON header and a payload
    region      memory that host and accelerator share, and its blocks
    streams     what is known of an instruction stream before it is launched
    backend     an accelerator: memory, launch, counters
    service     what all clients share: whose turn it is, blocks kept by digest, whether the device is lost
    session     one client: its requests
    serving     sessions behind pipes and sockets
"""
