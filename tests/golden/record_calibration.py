#!/usr/bin/env python3
"""Records how scikit-learn and SciPy calibrate a few scores: calibration.json in this folder.

    record_calibration.py

500 rows of 6 scores, with three decimals, and for each a right category drawn from the probabilities of a sharpness,
saturation and power (models/README.md has the formula). Recorded are
    temperature: the sharpness that scikit-learn's temperature scaling finds, and the mean negative log-likelihood there;
    shape:       the same with all three parameters, by SciPy's L-BFGS-B on the formula, from several starts;
and of both the expected calibration error (15 bins of equal width) and the Brier score, by scikit-learn and NumPy.
Needs the packages `numpy`, `scipy` and `scikit-learn`; the file names the versions.
"""
import json
import pathlib

import numpy
import scipy
import sklearn
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp
from sklearn.calibration import _TemperatureScaling
from sklearn.metrics import log_loss

ROWS, CATEGORIES, BINS = 500, 6, 15
TRUTH = (14.0, 30.0, 2.0)
HERE = pathlib.Path(__file__).parent


def log_probabilities(scores, sharpness, saturation, power):
    log_q = log_softmax(sharpness * scores, axis=1)
    log_g = power * (log_q - numpy.log1p(saturation * numpy.exp(log_q)))
    return log_g - logsumexp(log_g, axis=1, keepdims=True)


def draw():
    rng = numpy.random.default_rng(1)
    scores = rng.uniform(-0.5, 0.5, (ROWS, CATEGORIES)).round(3)
    probabilities = numpy.exp(log_probabilities(scores, *TRUTH))
    return scores, numpy.array([rng.choice(CATEGORIES, p=row) for row in probabilities])


def find_sharpness(scores, right):
    # Scores below 0 in every row: scikit-learn takes them for decision values or log-probabilities, not probabilities.
    scaling = _TemperatureScaling().fit(scores - scores.max() - 1, right)
    return float(scaling.beta_)


def find_shape(scores, right):
    def measure(x):
        return -log_probabilities(scores, *numpy.exp(x))[numpy.arange(ROWS), right].mean()

    starts = [numpy.log(start) for start in ([5, 1, 1], [9, 30, 2.5], [20, 5, 0.5])]
    runs = [minimize(measure, start, method="L-BFGS-B", bounds=[(-3, 8), (-6.9, 13.8), (-3, 3)],
                     options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 5000}) for start in starts]
    best = min(runs, key=lambda run: run.fun)
    return [float(value) for value in numpy.exp(best.x)]


def describe(scores, right, sharpness, saturation, power):
    probabilities = numpy.exp(log_probabilities(scores, sharpness, saturation, power))
    truth = numpy.eye(CATEGORIES)[right]
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == right
    bins = numpy.digitize(confidence, numpy.linspace(0, 1, BINS + 1), right=True)
    ece = sum(abs((confidence - is_right)[bins == b].sum()) for b in range(1, BINS + 1)) / ROWS
    return {"sharpness": sharpness, "saturation": saturation, "power": power,
            "nll": log_loss(right, probabilities, labels=range(CATEGORIES)),
            "ece": float(ece), "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean())}


def main():
    scores, right = draw()
    temperature = describe(scores, right, find_sharpness(scores, right), 0, 1)
    shape = describe(scores, right, *find_shape(scores, right))
    record = {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
              "temperature": temperature, "shape": shape, "right": right.tolist(), "scores": scores.tolist()}
    text = json.dumps(record, indent=1)
    head, rows = text[:text.index('"right"')], '"right": %s,\n "scores": [\n%s]\n}\n'
    (HERE / "calibration.json").write_text(head + rows % (
        json.dumps(record["right"]), ",\n".join("  " + json.dumps(row) for row in record["scores"])))


if __name__ == "__main__":
    main()
