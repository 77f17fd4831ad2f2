"""The packages whose systems are compared with, loaded without their reaching for a network."""

import csv
import importlib
import os
from pathlib import Path
from typing import Any

import torch
from librosa.filters import mel

from recommender.weights import Tensors

N_CLASSES = 527
BATCHES_SEEN = "num_batches_tracked"


def panns_inference(home: Path) -> Any:
    """Import panns_inference with a folder of its own as home.

    While it is imported it looks there for the names of AudioSet's classes, and would download them
    with wget. Here the names are made up; their number decides the size of the last layer.
    """
    path = home / "panns_data" / "class_labels_indices.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = [(place, f"/m/{place}", f"class {place}") for place in range(N_CLASSES)]
        csv.writer(file).writerows([("index", "mid", "display_name"), *rows])
    usual = os.environ.get("HOME")
    os.environ["HOME"] = str(home)
    try:
        return importlib.import_module("panns_inference")
    finally:
        os.environ.pop("HOME")
        if usual is not None:
            os.environ["HOME"] = usual


def cnn14(package: Any, tensors: Tensors) -> Any:
    """Its Cnn14 with other weights; the layer of the classes keeps those it was made with."""
    network = importlib.import_module(f"{package.__name__}.models").Cnn14(
        sample_rate=32_000,
        window_size=1024,
        hop_size=320,
        mel_bins=64,
        fmin=50,
        fmax=14_000,
        classes_num=N_CLASSES,
    )
    _load(network, {name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return network.eval()


def audio_tagging(package: Any, tensors: Tensors, folder: Path) -> Any:
    """Its AudioTagging, from a checkpoint as published, written to `folder`."""
    path = folder / "Cnn14_mAP=0.431.pth"
    torch.save({"model": cnn14(package, tensors).state_dict()}, path)
    return package.AudioTagging(checkpoint_path=str(path), device="cpu")


def torchopenl3_network(package: Any, tensors: Tensors, representation: str, size: int) -> Any:
    """Its network with other weights.

    The mel bank is set to what Kapre 0.1.4 computed and the published weights hold: the package
    asks librosa for it in words that have come to mean another normalisation.
    """
    models = importlib.import_module(f"{package.__name__}.models")
    network = models.PytorchOpenl3("music", representation, size)
    values = {_their_name(name): torch.from_numpy(tensor) for name, tensor in tensors.items()}
    if representation != "linear":
        n_mels = int(representation.removeprefix("mel"))
        bank = mel(sr=48_000, n_fft=2048, n_mels=n_mels, htk=True)
        values["speclayer.mel_basis"] = torch.from_numpy(bank)
    _load(network, values)
    return network.eval()


def _their_name(name: str) -> str:
    """What torchopenl3 calls a tensor, after Keras: ``norm3.bias``, ``conv8.weight``."""
    layer, _, kind = name.partition(".")
    names = {"norm": "batch_normalization_", "conv": "conv2d_"}
    theirs = "audio_embedding_layer" if layer == "conv8" else names[layer[:4]] + layer[4:]
    return f"{theirs}.{kind}"


def _load(network: Any, values: dict[str, torch.Tensor]) -> None:
    """Set all that is learnt; Fourier matrices and counters stay as they are."""
    missing, unexpected = network.load_state_dict(values, strict=False)
    made = ("spectrogram_extractor.", "logmel_extractor.", "fc_audioset.", "speclayer.")
    left = [n for n in missing if not n.startswith(made) and not n.endswith(BATCHES_SEEN)]
    if left or unexpected:
        raise ValueError(f"left={left} unexpected={unexpected} must be empty")
