"""Converted weights against the equations of the reference notes, written out in numpy, at many sizes."""

import numpy as np
import pytest
import torch

from mpm_mmpose.official.check import build_model
from mpm_mmpose.official.names import Sizes
from mpm_mmpose.official.weights import infer_sizes

HEADS = 4
# Float64. The release adds 1e-6 to the unbiased deviation, nn.LayerNorm to the variance: with deviations near 1 every
# norm differs by about 1e-6, which residuals carry on; measured 3.4e-6. A wrong index or factor gives 1e-2 and more.
TOLERANCE = 1e-5


# --- the released model in numpy: official key names, float64, evaluation ---------------------------------------------
def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def affine(x, state, key):
    weight = state[f"{key}.weight"]
    return x @ weight.reshape(weight.shape[0], -1).T + state[f"{key}.bias"]


def batch_norm(x, state, key):
    centred = (x - state[f"{key}.running_mean"]) / np.sqrt(state[f"{key}.running_var"] + 1e-5)
    return centred * state[f"{key}.weight"] + state[f"{key}.bias"]


def layer_norm(x, state, key):
    deviation = x.std(-1, ddof=1, keepdims=True) + 1e-6
    return state[f"{key}.a_2"] * (x - x.mean(-1, keepdims=True)) / deviation + state[f"{key}.b_2"]


def attention(x, state, key):
    batch, frames, channels = x.shape
    heads = state.get("heads", HEADS)
    query, key_, value = (
        affine(x, state, f"{key}.self_attn.linears.{i}").reshape(batch, frames, heads, -1).swapaxes(1, 2)
        for i in range(3)
    )
    scores = query @ key_.swapaxes(2, 3) / np.sqrt(channels // heads)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ value
    return affine(mixed.swapaxes(1, 2).reshape(batch, frames, channels), state, f"{key}.self_attn.linears.3")


def attended(x, state, key):
    x = x + attention(layer_norm(x, state, f"{key}.sublayer.0.norm"), state, key)
    inner = affine(layer_norm(x, state, f"{key}.sublayer.1.norm"), state, f"{key}.feed_forward.w_1")
    return x, np.maximum(inner, 0)


def layer(x, state, key):
    x, inner = attended(x, state, key)
    return x + affine(inner, state, f"{key}.feed_forward.w_2")


def strided_layer(x, state, key, stride):
    x, inner = attended(x, state, key)
    inner = np.pad(inner, ((0, 0), (1, 1), (0, 0)))
    weight = state[f"{key}.feed_forward.w_2.weight"]
    centres = range(1, x.shape[1] + 1, stride)
    reduced = [sum(inner[:, c + j - 1] @ weight[:, :, j].T for j in range(3)) for c in centres]
    return x[:, ::stride] + np.stack(reduced, 1) + state[f"{key}.feed_forward.w_2.bias"]


def spatial_layers(x, state):
    key = "shared_layers_spatial.layers.0"
    inner = leaky(batch_norm(affine(x, state, f"{key}.w1"), state, f"{key}.batch_norm1"))
    x = x + leaky(batch_norm(affine(inner, state, f"{key}.w2"), state, f"{key}.batch_norm2"))
    return affine(x, state, "shared_layers_spatial.fc_2")


def shared(poses, state, side, masked_frames=None):
    x = poses.reshape(*poses.shape[:2], -1)
    x = leaky(batch_norm(affine(x, state, f"encoder{side}.fc_1"), state, f"encoder{side}.bn_1"))
    x = spatial_layers(x, state) + state["shared_layers_temporal.pos_embedding"]
    if masked_frames is not None:
        x = x[:, ~masked_frames]
    return stack(x, state, "shared_layers_temporal")


def stack(x, state, key):
    depth = len({name.split(".")[3] for name in state if name.startswith(f"{key}.model.layers.")})
    for i in range(depth):
        x = layer(x, state, f"{key}.model.layers.{i}")
    return x


def masked_model(poses, state, masked_keypoints, masked_frames, side, output):
    token = state[f"spatial_mask_token{side}"].reshape(-1)
    x = shared(np.where(masked_keypoints[..., None], token, poses), state, side, masked_frames)
    tokens = np.broadcast_to(state["temporal_mask_token"], (len(poses), poses.shape[1], x.shape[-1])).copy()
    tokens[:, ~masked_frames] = layer_norm(x, state, "encoder_LN")
    x = stack(tokens + state["dec_pos_embedding"], state, f"decoder{output}")
    x = affine(batch_norm(x, state, f"fcn_dec{output}.0"), state, f"fcn_dec{output}.1")
    return x.reshape(*poses.shape[:3], -1)


def lifting_model(poses, state, strides):
    features = x = shared(poses, state, "2d")
    for i, stride in enumerate(strides):
        if i < 3:
            x = x + state[f"Transformer_reduce.model.pos_embedding_{i + 1}"][:, : x.shape[1]]
        x = strided_layer(x, state, f"Transformer_reduce.model.layers.{i}", stride)
    outputs = [affine(batch_norm(y, state, f"{k}.0"), state, f"{k}.1") for y, k in ((x, "fcn"), (features, "fcn_1"))]
    return tuple(y.reshape(*y.shape[:2], -1, 3) for y in outputs)


# --- random weights under the official names --------------------------------------------------------------------------
class Weights(dict):
    """A state dict that is filled by kind of layer; every value random, variances positive."""

    def __init__(self, seed):
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def sample(self, *shape):
        return self.rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[1:])))

    def affine(self, key, outputs, *inputs):
        self[f"{key}.weight"] = self.sample(outputs, *inputs)
        self[f"{key}.bias"] = self.sample(outputs, 4)[:, 0]

    def batch_norm(self, key, channels):
        for name in ("weight", "bias", "running_mean"):
            self[f"{key}.{name}"] = self.sample(channels)
        self[f"{key}.running_var"] = self.rng.uniform(0.5, 2, channels)
        self[f"{key}.num_batches_tracked"] = np.array(3)

    def layer_norm(self, key, channels):
        self[f"{key}.a_2"] = self.rng.uniform(0.5, 1.5, channels)
        self[f"{key}.b_2"] = self.sample(channels)

    def transformer(self, key, depth, channels, inner, strided=False):
        for i in range(depth):
            name = f"{key}.model.layers.{i}"
            for j in range(4):
                self.affine(f"{name}.self_attn.linears.{j}", channels, channels)
            self.affine(f"{name}.feed_forward.w_1", inner, channels, *([1] if strided else []))
            self.affine(f"{name}.feed_forward.w_2", channels, inner, *([3] if strided else []))
            self.layer_norm(f"{name}.sublayer.0.norm", channels)
            self.layer_norm(f"{name}.sublayer.1.norm", channels)
        self.layer_norm(f"{key}.model.norm", channels)

    def shared(self, sides, frames, keypoints, channels, inner, depth):
        for side in sides:
            self.affine(f"encoder{side}.fc_1", 2 * channels, keypoints * int(side[0]), 1)
            self.batch_norm(f"encoder{side}.bn_1", 2 * channels)
        for i in "12":
            self.affine(f"shared_layers_spatial.layers.0.w{i}", 2 * channels, 2 * channels, 1)
            self.batch_norm(f"shared_layers_spatial.layers.0.batch_norm{i}", 2 * channels)
        self.affine("shared_layers_spatial.fc_2", channels, 2 * channels, 1)
        self["shared_layers_temporal.pos_embedding"] = self.rng.normal(size=(1, frames, channels))
        self.transformer("shared_layers_temporal", depth, channels, inner)

    def output(self, key, channels, outputs):
        self.batch_norm(f"{key}.0", channels)
        self.affine(f"{key}.1", outputs, channels, 1)

    def tensors(self):
        return {key: torch.tensor(value) for key, value in self.items()}


def lifting_weights(frames, keypoints, channels, inner, depth, strides):
    state = Weights(seed=frames)
    state.shared(["2d"], frames, keypoints, channels, inner, depth)
    state.transformer("Transformer_reduce", len(strides), channels, inner, strided=True)
    for i in (1, 2, 3):
        state[f"Transformer_reduce.model.pos_embedding_{i}"] = state.rng.normal(size=(1, frames, channels))
    state.output("fcn", channels, 3 * keypoints)
    state.output("fcn_1", channels, 3 * keypoints)
    return state


def masked_weights(frames, keypoints, channels, inner, depth, decoder_depth):
    state = Weights(seed=frames)
    state.shared(["2d", "3d"], frames, keypoints, channels, inner, depth)
    state["dec_pos_embedding"] = state.rng.normal(size=(1, frames, channels))
    state["temporal_mask_token"] = state.rng.normal(size=(1, 1, channels))
    state.layer_norm("encoder_LN", channels)
    for side, size in (("2d", 2), ("3d", 3)):
        state[f"spatial_mask_token{side}"] = state.sample(1, 1, size)
        state.transformer(f"decoder{side}", decoder_depth, channels, inner)
        state.output(f"fcn_dec{side}", channels, size * keypoints)
    return state


# --- comparison -------------------------------------------------------------------------------------------------------
LIFTERS = [
    # frames, keypoints, channels, inner, depth, strides
    (27, 17, 32, 64, 2, (3, 3, 3)),
    (9, 16, 16, 24, 1, (1, 3, 3)),
    (81, 17, 24, 40, 3, (3, 3, 3, 3)),
    (243, 16, 16, 32, 1, (3, 3, 3, 3, 3)),
    (351, 17, 16, 20, 1, (3, 9, 13)),
    (15, 16, 20, 52, 2, (5, 1, 3, 1)),
    (8, 17, 16, 16, 1, (2, 4)),
    (3, 17, 16, 16, 1, (3,)),
    (1, 17, 16, 16, 1, (1,)),
]
MASKED = [
    # (frames, keypoints, channels, inner, depth, decoder depth), masked frames
    ((27, 17, 32, 64, 2, 1), 16),
    ((9, 16, 16, 24, 1, 2), 0),
    ((81, 16, 24, 40, 3, 3), 1),
    ((10, 17, 20, 52, 2, 1), 9),
]


@pytest.mark.parametrize("shape", LIFTERS, ids=str)
def test_lifting_model_of_any_size(shape):
    weights = lifting_weights(*shape)
    frames, keypoints, *widths, strides = shape
    poses = np.random.default_rng(1).normal(size=(2, frames, keypoints, 2))
    sizes = infer_sizes(weights.tensors(), HEADS, strides)
    assert sizes == Sizes("lift", keypoints, frames, *widths, len(strides), HEADS, strides)
    model = build_model(weights.tensors(), sizes, torch.float64)
    with torch.no_grad():
        single, sequence = model.head(model.backbone(torch.tensor(poses)))
    expected_single, expected_sequence = lifting_model(poses, weights, strides)
    np.testing.assert_allclose(single[:, None], expected_single, atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(sequence, expected_sequence, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("shape", "masked_frames"), MASKED, ids=str)
def test_masked_model_of_any_size(shape, masked_frames):
    weights = masked_weights(*shape)
    frames, keypoints, *widths, decoder_depth = shape
    rng = np.random.default_rng(1)
    keypoint_mask = rng.random((frames, keypoints)) < 0.3
    frame_mask = np.zeros(frames, dtype=bool)
    frame_mask[rng.permutation(frames)[:masked_frames]] = True
    sizes = infer_sizes(weights.tensors(), HEADS)
    kind = "completion" if decoder_depth > 1 else "pretrain"
    assert sizes == Sizes(kind, keypoints, frames, *widths, decoder_depth, HEADS)
    model = build_model(weights.tensors(), sizes, torch.float64)
    for side, output in (("2d", "2d"), ("3d", "3d"), ("2d", "3d")):
        poses = rng.normal(size=(2, frames, keypoints, int(side[0])))
        masks = [torch.tensor(np.stack([mask, mask])) for mask in (frame_mask, keypoint_mask)]
        with torch.no_grad():
            recovered = model.head(model.backbone(torch.tensor(poses), *masks), output, masks[0])
        expected = masked_model(poses, weights, keypoint_mask, frame_mask, side, output)
        np.testing.assert_allclose(recovered, expected, atol=TOLERANCE, rtol=0)


def test_frame_wise_layers_agree_to_the_last_digits():
    """No LayerNorm is involved in encoders and spatial layers, so nothing but rounding is left."""
    weights = masked_weights(9, 17, 32, 64, 1, 1)
    model = build_model(weights.tensors(), infer_sizes(weights.tensors(), HEADS), torch.float64)
    x = np.random.default_rng(1).normal(size=(18, 51))
    expected = leaky(batch_norm(affine(x, weights, "encoder3d.fc_1"), weights, "encoder3d.bn_1"))
    with torch.no_grad():
        encoded = model.backbone.encoder_3d(torch.tensor(x))
        spatial = model.backbone.spatial(encoded)
    np.testing.assert_allclose(encoded, expected, atol=1e-9, rtol=0)
    np.testing.assert_allclose(spatial, spatial_layers(expected, weights), atol=1e-9, rtol=0)


def test_equations_reproduce_the_reference(reference_dir):
    """The equations here are those of the release: they give its float64 figures to 1e-9."""
    arrays = np.load(reference_dir / "lift.npz", allow_pickle=False)
    state = {name[6:]: arrays[name].astype(np.float64) for name in arrays.files if name.startswith("state/")}
    single, sequence = lifting_model(arrays["input_bfjc"].astype(np.float64), state | {"heads": 8}, (3, 3, 3))
    np.testing.assert_allclose(single, arrays["f64/out_single_bfjc"], atol=1e-9, rtol=0)
    np.testing.assert_allclose(sequence, arrays["f64/out_seq_bfjc"], atol=1e-9, rtol=0)
