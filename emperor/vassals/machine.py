"""
The life of one vassal, as a state machine.

Events come from three sides: the Emperor (C{wanted}, C{unwanted}), the vassal's
process (C{became_ready} to C{over_in_exile}) and the clock.  C{wanted} always
means "this is the configuration now": it starts what does not run, reloads
what does, and replaces what has not said a word yet and so may never read
the pipe.  Nothing is started before the process before it is over, so there are
never two of one machine.  (Where the Emperor has the socket, there may be two
machines: L{emperor.vassals.succession}.)

A vassal that need not run before somebody asks for it sleeps instead of waiting
for its turn.

The process belongs to the core, for it lives through many states; timers
belong to the one state that set them, but for two: the heart, and the time by
which the vassal must accept, which goes on from one state to the next.

C{python -m emperor.vassals.diagram} draws the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from automat import TypeMachineBuilder

from emperor.vassals.core import SHORTEST_TOLERANCE, Core
from emperor.vassals.events import Inputs
from emperor.vassals.process import Ending
from emperor.vassals.spec import VassalSpec
from emperor.vassals.status import Phase


@dataclass
class Waiting:
    """
    Data of a state that the clock or a queue will end.

    @ivar cancel: makes that not happen.
    """

    cancel: Callable[[], None]


def _call_later(core: Core, seconds: float, call: Callable[[], None]) -> Waiting:
    timer = core.court.clock.callLater(seconds, call)

    def cancel() -> None:
        if timer.active():
            timer.cancel()

    return Waiting(cancel)


# Entering a state:


def _queue(inputs: Inputs, core: Core, *why: Any, **more: Any) -> Waiting:
    core.bury()
    for each in why:
        if isinstance(each, VassalSpec):  # It may say that there is nothing to wait for.
            core.adopt(each)
    if core.drowsy:
        inputs.fell_asleep()
        return Waiting(_let_it_be)
    core.enter(Phase.QUEUED)
    return Waiting(core.queue_start(inputs.turn_came))


def _let_it_be() -> None:
    """
    There is nothing to cancel.
    """


def _sleep(inputs: Inputs, core: Core) -> Waiting:
    core.enter(Phase.ASLEEP)
    return Waiting(core.door.watch(lambda: core.rouse(inputs)))


def _start(inputs: Inputs, core: Core) -> None:
    core.start(inputs)


def _be_ready(inputs: Inputs, core: Core) -> None:
    core.enter(Phase.READY)


def _serve(inputs: Inputs, core: Core) -> None:
    core.serve()


def _reload(inputs: Inputs, core: Core, *spec: Any, **more: Any) -> None:
    for each in spec:
        core.adopt(each)
    if not spec:
        core.condemn()
    core.reload(inputs)


def _dismiss(inputs: Inputs, core: Core, *why: Any, **more: Any) -> Waiting:
    # Nobody may send it requests any more when it hears of it.
    core.enter(Phase.STOPPING)
    return _call_later(core, core.dismiss(), inputs.tolerance_over)


def _retire(inputs: Inputs, core: Core) -> Waiting:
    core.drowsy = True
    core.enter(Phase.RETIRING)
    return _call_later(core, core.dismiss(), inputs.tolerance_over)


def _replace(inputs: Inputs, core: Core, *why: Any, **more: Any) -> Waiting:
    # Nobody may send it requests any more when it hears of it.
    core.enter(Phase.REPLACED)
    return _call_later(core, core.dismiss(), inputs.tolerance_over)


def _be_orphaned(inputs: Inputs, core: Core, ending: Ending) -> None:
    core.enter(Phase.ORPHANED, ending=str(ending))


def _hold_back(inputs: Inputs, core: Core, ending: Ending) -> Waiting:
    return _call_later(core, core.hold_back(ending), inputs.retry_due)


def _exile(inputs: Inputs, core: Core, ending: Ending) -> None:
    core.note_end(ending)
    core.bury()
    core.enter(Phase.EXILED, ending=str(ending))


builder = TypeMachineBuilder(Inputs, Core)

gone = builder.state("gone")
queued = builder.state("queued", _queue)
asleep = builder.state("asleep", _sleep)
starting = builder.state("starting", _start)
ready = builder.state("ready", _be_ready)
accepting = builder.state("accepting", _serve)
reloading = builder.state("reloading", _reload)
retiring = builder.state("retiring", _retire)
stopping = builder.state("stopping", _dismiss)
replaced = builder.state("replaced", _replace)
orphaned = builder.state("orphaned", _be_orphaned)
held_back = builder.state("held back", _hold_back)
exiled = builder.state("exiled", _exile)

# What the vassal says:

starting.upon(Inputs.became_ready).to(ready).returns(None)
for _initialised in (ready, accepting, reloading):
    _initialised.upon(Inputs.became_ready).loop().returns(None)


@starting.upon(Inputs.accepted, nodata=True).to(accepting)
@ready.upon(Inputs.accepted, nodata=True).to(accepting)
@reloading.upon(Inputs.accepted, nodata=True).to(accepting)
@accepting.upon(Inputs.accepted, nodata=True).loop()
def _hear(inputs: Inputs, core: Core) -> None:
    core.outspoken = True


for _leaving in (stopping, replaced, retiring):
    _leaving.upon(Inputs.beat, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.fell_idle, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.became_ready, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.accepted, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.proved_loyal, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.heard_nothing, nodata=True).loop().returns(None)
    _leaving.upon(Inputs.exited, nodata=True).loop().returns(None)
for _input in (
    Inputs.became_ready,
    Inputs.accepted,
    Inputs.proved_loyal,
    Inputs.beat,
    Inputs.fell_idle,
):
    orphaned.upon(_input, nodata=True).loop().returns(None)


@starting.upon(Inputs.proved_loyal, nodata=True).to(accepting)
@ready.upon(Inputs.proved_loyal, nodata=True).to(accepting)
@accepting.upon(Inputs.proved_loyal, nodata=True).loop()
def _trust(inputs: Inputs, core: Core) -> None:
    core.trust()


@reloading.upon(Inputs.proved_loyal, nodata=True).loop()
def _believe(inputs: Inputs, core: Core) -> None:
    # It may be an old worker that has answered a request: one that says when it
    # accepts has yet to say so.
    if not core.outspoken:
        inputs.seemed_up()
        core.trust()


reloading.upon(Inputs.seemed_up, nodata=True).to(accepting).returns(None)


@ready.upon(Inputs.beat, nodata=True).loop()
@accepting.upon(Inputs.beat, nodata=True).loop()
def _feel(inputs: Inputs, core: Core) -> None:
    core.heart.beat(inputs.fell_silent)


for _changing in (starting, reloading):  # A beat of before proves nothing.
    _changing.upon(Inputs.beat, nodata=True).loop().returns(None)
    _changing.upon(Inputs.fell_idle, nodata=True).loop().returns(None)
for _beating in (ready, accepting):
    _beating.upon(Inputs.fell_silent, nodata=True).to(reloading).returns(None)
    _beating.upon(Inputs.fell_idle, nodata=True).to(retiring).returns(None)


# What is wanted:


@gone.upon(Inputs.wanted).to(queued)
@exiled.upon(Inputs.wanted, nodata=True).to(queued)
@queued.upon(Inputs.wanted, nodata=True).loop()
@starting.upon(Inputs.wanted, nodata=True).to(replaced)
@orphaned.upon(Inputs.wanted, nodata=True).to(replaced)
@replaced.upon(Inputs.wanted, nodata=True).loop()
def _adopt(inputs: Inputs, core: Core, spec: VassalSpec) -> None:
    core.adopt(spec)


@asleep.upon(Inputs.wanted).to(queued)
@held_back.upon(Inputs.wanted).to(queued)
@retiring.upon(Inputs.wanted).to(replaced)
@stopping.upon(Inputs.wanted).to(replaced)
def _adopt_after_all(inputs: Inputs, core: Core, waiting: Waiting, spec: VassalSpec) -> None:
    waiting.cancel()
    core.adopt(spec)


ready.upon(Inputs.wanted, nodata=True).to(reloading).returns(None)
accepting.upon(Inputs.wanted, nodata=True).to(reloading).returns(None)


@reloading.upon(Inputs.wanted, nodata=True).loop()
def _reload_again(inputs: Inputs, core: Core, spec: VassalSpec) -> None:
    core.adopt(spec)
    core.reload(inputs)


reloading.upon(Inputs.heard_nothing, nodata=True).to(replaced).returns(None)

for _alive in (starting, ready, accepting, reloading, orphaned):
    _alive.upon(Inputs.unwanted, nodata=True).to(stopping).returns(None)
    _alive.upon(Inputs.over, nodata=True).to(held_back).returns(None)
    _alive.upon(Inputs.over_in_exile, nodata=True).to(exiled).returns(None)
gone.upon(Inputs.unwanted).loop().returns(None)
stopping.upon(Inputs.unwanted, nodata=True).loop().returns(None)


@retiring.upon(Inputs.unwanted).to(stopping)
@replaced.upon(Inputs.unwanted).to(stopping)
def _leave_for_good(inputs: Inputs, core: Core, waiting: Waiting) -> None:
    waiting.cancel()


@queued.upon(Inputs.unwanted).to(gone)
@asleep.upon(Inputs.unwanted).to(gone)
@held_back.upon(Inputs.unwanted).to(gone)
def _wait_no_more(inputs: Inputs, core: Core, waiting: Waiting) -> None:
    waiting.cancel()
    core.vanish()


@exiled.upon(Inputs.unwanted).to(gone)
def _forget(inputs: Inputs, core: Core, nothing: object) -> None:
    core.vanish()


# How it ends, and what the clock does:

queued.upon(Inputs.turn_came, nodata=True).to(starting).returns(None)
queued.upon(Inputs.fell_asleep, nodata=True).to(asleep).returns(None)
held_back.upon(Inputs.retry_due, nodata=True).to(queued).returns(None)


@asleep.upon(Inputs.woken).to(queued)
def _wake(inputs: Inputs, core: Core, waiting: Waiting) -> None:
    waiting.cancel()


@starting.upon(Inputs.overdue, nodata=True).loop()
@ready.upon(Inputs.overdue, nodata=True).loop()
@reloading.upon(Inputs.overdue, nodata=True).loop()
def _remind(inputs: Inputs, core: Core) -> None:
    core.overdue(inputs)


for _whole in (starting, ready, accepting, reloading):
    _whole.upon(Inputs.exited, nodata=True).to(orphaned).returns(None)


@stopping.upon(Inputs.over).to(gone)
@stopping.upon(Inputs.over_in_exile).to(gone)
def _vanish(inputs: Inputs, core: Core, waiting: Waiting, ending: Ending) -> None:
    waiting.cancel()
    core.bury()
    core.vanish()


@retiring.upon(Inputs.over).to(queued)
@retiring.upon(Inputs.over_in_exile).to(queued)
@replaced.upon(Inputs.over).to(queued)
@replaced.upon(Inputs.over_in_exile).to(queued)
def _make_room(inputs: Inputs, core: Core, waiting: Waiting, ending: Ending) -> None:
    waiting.cancel()


@retiring.upon(Inputs.tolerance_over).loop()
@stopping.upon(Inputs.tolerance_over).loop()
@replaced.upon(Inputs.tolerance_over).loop()
def _kill(inputs: Inputs, core: Core, waiting: Waiting) -> None:
    core.process.kill()
    pause = max(core.court.tolerance, SHORTEST_TOLERANCE)
    waiting.cancel = _call_later(core, pause, inputs.tolerance_over).cancel


VassalMachine = builder.build()
