"""What the processor at hand is quick at."""

from __future__ import annotations

import torch


def has_native_bfloat16(device: torch.device) -> bool:
    """Whether a CPU itself multiplies bfloat16; emulated, it is many times slower than float32."""
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def trains_in_bfloat16(device: torch.device) -> bool:
    """Whether training in bfloat16 pays on a CPU or a GPU."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return has_native_bfloat16(device)
