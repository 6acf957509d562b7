"""How images are handed out to workers of Ray, with a Ray that is made up: quick, and in order."""

import threading
from types import SimpleNamespace

import pytest

from fmstudio.engine import ray_pool
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.ray_pool import Done, RayPool
from fmstudio.engine.requests import Failure, ImageRef
from fmstudio.errors import Cancelled, ImageError, MatchError
from fmstudio.geometry.grid import ImageSize


class FakeRayError(Exception):
    pass


class FakeTaskError(FakeRayError):
    def __init__(self, cause):
        super().__init__(str(cause))
        self.cause = cause


class Reply:
    """What is there once its actor has come to it."""

    def __init__(self, actor=None, work=None, value=None):
        self.actor, self.work, self.value = actor, work, value
        self.is_done = actor is None


class FakeActor:
    def __init__(self, ray):
        self.ray = ray
        self.calls = []
        self.is_dead = False

    def __getattr__(self, method):
        def remote(*args):
            reply = Reply(self, (method, args))
            self.calls.append(reply)
            return reply

        return SimpleNamespace(remote=remote)


class FakeRay:
    """Each look at the replies lets every actor do one call; `behave` says what comes of it."""

    exceptions = SimpleNamespace(RayError=FakeRayError, RayTaskError=FakeTaskError)
    cloudpickle = SimpleNamespace(loads=lambda value: value)

    def __init__(self, behave):
        self.behave = behave
        self.actors = []
        self.most_waiting = 0

    def remote(self, _kind):
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._actor))

    def _actor(self):
        self.actors.append(FakeActor(self))
        return self.actors[-1]

    def put(self, value):
        return Reply(value=value)

    def kill(self, actor):
        actor.is_dead = True

    def wait(self, replies, *, num_returns=1, timeout=None):
        assert len(set(map(id, replies))) == len(replies)
        if timeout != 0:
            for actor in self.actors:
                self._step(actor)
        done = [r for r in replies if r.is_done or r.actor.is_dead]
        return done[:num_returns], [r for r in replies if r not in done[:num_returns]]

    def _step(self, actor):
        waiting = [call for call in actor.calls if not call.is_done]
        self.most_waiting = max(self.most_waiting, len(waiting))
        if not waiting or actor.is_dead:
            return
        call = waiting[0]
        method, args = call.work
        args = tuple(arg.value if isinstance(arg, Reply) else arg for arg in args)
        try:
            call.value = self.behave(self.actors.index(actor), method, *args)
        except SystemExit:
            actor.is_dead = True
            return
        except Exception as error:
            call.value = FakeTaskError(error)
        call.is_done = True

    def get(self, reply):
        if not reply.is_done:
            raise FakeRayError("the actor died")
        if isinstance(reply.value, FakeTaskError):
            raise reply.value
        return reply.value


def images(n):
    return [ImageRef(i, f"hash{i}", f"{i}.png", ImageSize(8, 8)) for i in range(n)]


def pixels(image):
    return f"pixels {image.id}"


def run(behave, n=12, count=2, load=pixels, token=None):
    ray = FakeRay(behave)
    cluster = SimpleNamespace(ray=ray, name="this machine")
    with RayPool(cluster, count) as pool:
        pool.tell("prepare", "settings")
        found = pool.each("carry", images(n), load, token or CancelToken())
        return [done for done in found if done is not None], ray


def test_results_come_in_order_with_few_on_their_way():
    def behave(worker, method, *args):
        if method == "prepare":
            return None
        image, opened = args
        assert opened == pixels(image)
        return f"result {image.id}"

    found, ray = run(behave)
    assert [done.image.id for done in found] == list(range(12))
    assert [done.value for done in found] == [f"result {i}" for i in range(12)]
    assert ray.most_waiting <= 2
    assert all(actor.is_dead for actor in ray.actors)


def test_what_a_worker_had_is_done_by_another():
    died = []

    def behave(worker, method, *args):
        if method != "prepare" and args[0].id == 4 and not died:
            died.append(worker)
            raise SystemExit
        return None if method == "prepare" else args[0].id

    found, ray = run(behave)
    assert [done.value for done in found] == list(range(12))
    assert len(ray.actors) == 3  # one was replaced, and told what the others were told
    assert ray.actors[2].calls[0].work == ("prepare", ("settings",))


def test_an_image_that_ends_every_worker_is_given_up_and_the_rest_goes_on():
    def behave(worker, method, *args):
        if method == "prepare":
            return None
        if args[0].id == 3:
            raise SystemExit
        return args[0].id

    found, ray = run(behave)
    assert [done.image.id for done in found] == list(range(12))
    (failure,) = [done.value for done in found if isinstance(done.value, Failure)]
    assert failure.target.id == 3
    assert failure.message.startswith("'3.png' was given up: 3 workers of Ray ended")
    assert len(ray.actors) == 2 + 3


def test_workers_that_never_begin_end_the_job():
    def behave(worker, method, *args):
        raise SystemExit

    with pytest.raises(MatchError, match="end before they begin on this machine"):
        run(behave)


def test_what_a_worker_raises_is_raised_here():
    def behave(worker, method, *args):
        raise MatchError("A worker has another fmstudio.")

    with pytest.raises(MatchError, match="another fmstudio"):
        run(behave)


def test_why_an_image_cannot_be_opened_reaches_the_worker():
    def load(image):
        if image.id == 1:
            raise ImageError("1.png is missing.")
        return pixels(image)

    found, _ = run(lambda _, method, *args: args[-1], n=3, load=load)
    assert [done.value for done in found] == ["pixels 0", "1.png is missing.", "pixels 2"]


def test_cancel_waits_for_no_image_and_hands_over_what_is_finished():
    gate, token = threading.Event(), CancelToken()

    def load(image):
        if image.id == 0:
            gate.wait(30)
        return pixels(image)

    def behave(worker, method, *args):
        if method == "prepare":
            return None
        token.cancel()
        return args[0].id

    ray = FakeRay(behave)
    came = []
    with RayPool(SimpleNamespace(ray=ray, name="this machine"), 2) as pool:
        pool.tell("prepare")
        with pytest.raises(Cancelled):
            came.extend(pool.each("carry", images(4), load, token))
        assert not gate.is_set()
    gate.set()
    assert 1 in [done.image.id for done in came if isinstance(done, Done)]


def test_workers_that_get_no_place_are_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(ray_pool, "_START_MINUTES", -1)

    class FullRay(FakeRay):
        def _step(self, actor):
            pass

    with RayPool(SimpleNamespace(ray=FullRay(None), name="this machine"), 1) as pool:
        pool.tell("prepare")
        with pytest.raises(MatchError, match="No worker of Ray has started on this machine"):
            list(pool.each("carry", images(1), pixels, CancelToken()))
