"""Makes tests/golden/optim.safetensors: 20 steps of PyTorch's optimizers from the same weights and
gradients. Run from the project's root:  python tests/golden/make/optim.py"""
import math
import torch
from safetensors.torch import save_file

STEPS = 20
SHAPES = {"matrix": (5, 7), "vector": (11,), "conv": (3, 2, 4), "scalar": ()}
torch.manual_seed(1)
start = {k: torch.randn(s) for k, s in SHAPES.items()}
grads = [{k: torch.randn(s) * 10 ** ((t % 5) - 2) for k, s in SHAPES.items()} for t in range(STEPS)]

CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.8, 0.95), weight_decay=0.1),
    "adamw_clip": lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.0),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, weight_decay=0.1),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.05, weight_decay=0.1),
}

out = {f"start/{k}": v.clone() for k, v in start.items()}
for t in range(STEPS):
    for k in SHAPES:
        out[f"grad{t}/{k}"] = grads[t][k].clone()
for name, make in CASES.items():
    w = {k: v.clone().requires_grad_() for k, v in start.items()}
    opt = make(list(w.values()))
    for t in range(STEPS):
        for k in SHAPES:
            w[k].grad = grads[t][k].clone()
        if name == "adamw_clip":
            torch.nn.utils.clip_grad_norm_(list(w.values()), 1.0)
        opt.step()
    for k in SHAPES:
        out[f"{name}/{k}"] = w[k].detach().clone()

# schedules: the factor of each of 30 steps
p = torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([p], lr=1.0)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=25, eta_min=0.1)
factors = []
for t in range(25):
    factors.append(opt.param_groups[0]["lr"])
    opt.step()
    cosine.step()
out["schedule/cosine"] = torch.tensor(factors, dtype=torch.float64)
save_file(out, "tests/golden/optim.safetensors")
