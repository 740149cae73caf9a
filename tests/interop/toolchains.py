# toolchains - what the tests borrow from elsewhere: the stock server and the
# client libraries, fetched with each language's own tools into a cache.
#
# A toolchain or a registry that is not there is a reason to skip; a test
# program of ours that does not build is a failure.
#
# SPDX-License-Identifier: ISC
import concurrent.futures
import os
import shutil
import subprocess

from peers import Failed, read

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 900  # seconds for one step: a cold cache on a slow line


class Missing(Exception):
    """Why something cannot be had here."""


def need(program, package):
    found = shutil.which(program)
    if not found:
        raise Missing("%s is not installed (Debian: %s)" % (program, package))
    return found


def step(argv, cwd, problem, **env):
    """Runs argv; raises problem with the last line it said."""
    try:
        done = subprocess.run(
            argv, cwd=cwd, env={**os.environ, **env}, timeout=PATIENCE, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        raise problem("%s took longer than %d s" % (" ".join(argv[:3]), PATIENCE))
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["no reason given"])[-1]
        raise problem("%s: %s" % (" ".join(argv[:3]), last))


def go_module(directory):
    """Go's path, once the modules are there."""
    go = need("go", "golang-go")
    step([go, "mod", "download"], directory, Missing)
    return go


def stock(cache, where="go", name="faktory"):
    need("redis-server", "redis-server")
    directory = os.path.join(HERE, where)
    program = os.path.join(cache, name)
    step([go_module(directory), "build", "-o", program,
          "github.com/contribsys/faktory/cmd/faktory"], directory, Missing)
    return program


def stock_1_9(cache):
    """The one before the lists were renamed."""
    return stock(cache, "faktory19", "faktory-1.9")


def go_program(cache, directory, name):
    program = os.path.join(cache, name)
    step([go_module(directory), "build", "-o", program, "."], directory, Failed)
    return [program]


def go(cache):
    return go_program(cache, os.path.join(HERE, "go"), "go-client")


def go_worker(cache):
    return go_program(cache, os.path.join(HERE, "..", "bench", "go_worker"), "go-worker")


def beanstalkd(_):
    return need("beanstalkd", "beanstalkd")


def node_worker(cache):
    return node(cache)[:-1] + [os.path.join(HERE, "..", "bench", "node_worker.js")]


def python_worker(cache):
    return python(cache)[:-1] + [os.path.join(HERE, "..", "bench", "python_worker.py")]


def node(cache):
    program = need("node", "nodejs")
    npm = need("npm", "npm")
    place = os.path.join(cache, "node")
    wanted = os.path.join(HERE, "node", "package.json")
    if read(os.path.join(place, "installed")) != read(wanted):
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        shutil.copy(wanted, place)
        step([npm, "install", "--no-package-lock", "--no-audit", "--no-fund",
              "--ignore-scripts", "--loglevel=error"], place, Missing)
        shutil.copy(wanted, os.path.join(place, "installed"))
    return ["env", "NODE_PATH=" + os.path.join(place, "node_modules"),
            program, os.path.join(HERE, "node", "client.js")]


def python(cache):
    base = need("python3", "python3")
    place = os.path.join(cache, "python")
    wanted = os.path.join(HERE, "python", "requirements.txt")
    program = os.path.join(place, "bin", "python3")
    if read(os.path.join(place, "installed")) != read(wanted):
        shutil.rmtree(place, ignore_errors=True)
        step([base, "-m", "venv", place], HERE, Missing)
        step([program, "-m", "pip", "install", "--quiet", "-r", wanted], HERE, Missing)
        shutil.copy(wanted, os.path.join(place, "installed"))
    return [program, "-B", os.path.join(HERE, "python", "client.py")]


def rust(cache):
    """Two steps, of which the first needs the registry: what fails is skipped,
    and what does not build is a failure."""
    cargo = need("cargo", "cargo")
    need("pkg-config", "pkg-config")
    directory = os.path.join(cache, "rust")
    shutil.copytree(os.path.join(HERE, "rust"), directory, dirs_exist_ok=True)
    step([cargo, "fetch", "--quiet"], directory, Missing,
         CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS="fallback")
    step([cargo, "build", "--offline", "--quiet"], directory, Failed)
    return [os.path.join(directory, "target", "debug", "faktotum-interop")]


RUBY_GEM = "faktory_worker_ruby:~>1.1"


def ruby(cache):
    program = need("ruby", "ruby")
    gem = need("gem", "ruby")
    place = os.path.join(cache, "ruby")
    marker = os.path.join(place, "installed")
    if read(marker) != RUBY_GEM:
        shutil.rmtree(place, ignore_errors=True)
        step([gem, "install", "--quiet", "--no-document", "--install-dir", place, RUBY_GEM],
             HERE, Missing)
        with open(marker, "w") as f:
            f.write(RUBY_GEM)
    return ["env", "GEM_PATH=" + place, program, os.path.join(HERE, "ruby", "client.rb")]


def prepare(cache, names):
    """name -> what it gives, or the exception that says why not."""
    os.makedirs(cache, exist_ok=True)
    recipes = {"stock": stock, "stock 1.9": stock_1_9, "go": go, "node": node, "python": python,
               "rust": rust, "ruby": ruby,
               "go_worker": go_worker, "node_worker": node_worker,
               "python_worker": python_worker, "beanstalkd": beanstalkd}

    def attempt(name):
        try:
            return name, recipes[name](cache)
        except (Missing, Failed) as reason:
            return name, reason

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(pool.map(attempt, names))
