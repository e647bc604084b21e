"""Trains LightGBM on what bench/gbdt.ts wrote, with its defaults and one thread: tasks in as JSON, scores and seconds out."""

import json
import sys
import time

import lightgbm
import numpy

answers = []
for task in json.load(sys.stdin):
    values = numpy.fromfile(task["values"], dtype="<f4").reshape(-1, task["columns"])
    labels = numpy.fromfile(task["labels"], dtype="<f4")
    train, test = numpy.array(task["train"]), numpy.array(task["test"])
    x, y = values[train], labels[train]
    began = time.perf_counter()
    booster = lightgbm.train(
        {"objective": "binary", "num_threads": 1, "verbosity": -1, "deterministic": True},
        lightgbm.Dataset(x, y),
        num_boost_round=task["trees"],
    )
    seconds = time.perf_counter() - began
    answers.append({"seconds": seconds, "scores": booster.predict(values[test], num_threads=1).tolist() if len(test) else []})
json.dump(answers, sys.stdout)
