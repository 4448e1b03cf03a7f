import fcntl
import os

import hypothesis
import pytest
import torch
from threadpoolctl import threadpool_limits

from tests.project import Project, make_project

# Two processes of two threads each on two cores spin against one another: slower by an order of magnitude.
torch.set_num_threads(1)

# A property does not depend on how long an example takes.
hypothesis.settings.register_profile(
    "any speed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any speed")


# The files that take minutes. They are begun first, so that pytest-xdist's processes end together.
LONGEST = (
    "test_pipeline.py",
    "test_known_answers.py",
    "test_distributed.py",
    "test_machines.py",
    "test_shared_study.py",
    "test_extending.py",
    "test_docs.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny products gain nothing from threads, and lose much on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A project in which `dvc repro` has run once and its result is committed. Not to be changed, not for a moment:
    other processes copy it.

    It takes minutes, so that pytest-xdist's processes share one: the first that asks makes it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / "finished" / "project"
    path.parent.mkdir(exist_ok=True)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = path.parent / "done"
        if not done.exists():
            assert not path.exists(), "another process could not finish it: its error says why"
            project = make_project(path)
            project.run("dvc", "repro")
            project.commit()
            done.touch()
    return Project(path)


@pytest.fixture(scope="module")
def scratch(finished, tmp_path_factory) -> Project:
    """A copy of the finished project for tests that edit it, ask DVC, and undo the edit."""
    return finished.copy(tmp_path_factory.mktemp("scratch") / "project")


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished project to do with as you like."""
    return finished.copy(tmp_path / "project")
