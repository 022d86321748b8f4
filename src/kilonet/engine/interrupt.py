"""Ctrl-C between engine calls: no step is torn, and whoever presses it twice is not kept waiting."""

import signal
import threading
from types import FrameType
from typing import Self


class CtrlC:
    """Within `with`, notes the first Ctrl-C in `pressed`; the second one raises KeyboardInterrupt.

    Only the main thread may set a handler, and a handler of the user's own stays in charge: in
    both cases nothing is noted, and a KeyboardInterrupt goes its usual way.

    >>> with CtrlC() as ctrl_c:
    ...     signal.raise_signal(signal.SIGINT)
    >>> ctrl_c.pressed
    True
    """

    def __init__(self) -> None:
        self.pressed = False
        self._ours = False

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._ours = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            signal.default_int_handler(number, frame)
        self.pressed = True
