"""Tokenizers trained on a few sentences, and weights drawn from a seed."""

from __future__ import annotations

import json
from typing import Any

SENTENCES = (
    "a crack in limestone",
    "salt efflorescence on a wall",
    "une fissure dans la pierre calcaire",
    "écaillage, plaque détachée de la paroi",
    "sound stone",
    "a photograph of bleaching",
)


def randomise(model: Any, scale: float = 0.2) -> None:
    """Give every parameter and buffer a seeded random value: default widths are odd for SAM."""
    import torch

    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in sorted(model.state_dict().items()):
            if not value.is_floating_point() or "inv_freq" in name or "rope" in name:
                continue
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name and name.endswith("weight") and value.ndim == 1:
                value.copy_(1 + 0.1 * noise)
            elif "positional_embedding" in name and "shared" in name:
                value.copy_(noise)
            elif "running_var" in name:
                value.copy_(1 + 0.1 * noise.abs())
            elif "logit_" in name:
                continue
            else:
                value.copy_(scale * noise)


def clip_tokenizer(length: int = 77) -> Any:
    from tokenizers import Tokenizer, models, trainers
    from transformers import CLIPTokenizer

    bytes_ = _byte_alphabet()
    base = CLIPTokenizer()
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = base.backend_tokenizer.normalizer
    tokenizer.pre_tokenizer = base.backend_tokenizer.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=bytes_, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in trained["merges"]]
    words = dict.fromkeys([*bytes_, *(f"{byte}</w>" for byte in bytes_), *trained["vocab"]])
    vocabulary = {word: index for index, word in enumerate(words)}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=length)


def _byte_alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def bert_tokenizer() -> Any:
    from transformers import BertTokenizer

    letters = sorted({letter for sentence in SENTENCES for letter in sentence if letter != " "})
    words = sorted({word.strip(",") for sentence in SENTENCES for word in sentence.split()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", ","]
    pieces += [*letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    return BertTokenizer(vocab=vocabulary, model_max_length=512)


def siglip_tokenizer(length: int = 64) -> Any:
    from transformers import Siglip2Tokenizer

    vocabulary = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "▁": 5}
    letters = sorted({letter for sentence in SENTENCES for letter in sentence.lower()} - {" "})
    for piece in [*letters, *(f"<0x{byte:02X}>" for byte in range(256))]:
        vocabulary.setdefault(piece, len(vocabulary))
    return Siglip2Tokenizer(
        vocab=vocabulary, merges=[], model_max_length=length, padding_side="right"
    )
