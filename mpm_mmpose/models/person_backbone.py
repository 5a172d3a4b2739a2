"""The encoder of 2D that is seen by a camera turned to the person, so that neither camera nor framing matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmpose.registry import MODELS
from torch import Tensor

from .backbone import MPMBackbone
from .person_view import PersonView, Trunk, person_features, person_view


class PersonTokens(NamedTuple):
    """What :class:`PersonBackbone` gives: tokens (B, T_visible, C), and the view that a head needs to go back."""

    tokens: Tensor
    view: PersonView


@MODELS.register_module()
class PersonBackbone(MPMBackbone):
    """MPMBackbone for 2D as rays x / z, y / z of a given or guessed camera, in units of the person's size.

    See :mod:`mpm_mmpose.models.person_view`. Masked keypoints have a token each, and the encoder is told which are.

    Args:
        num_frames: window length T.
        num_keypoints: K.
        ignored: indices of keypoints that are masked always, because detectors have them elsewhere or not at all.
        upright: indices of the keypoints at the upper and at the lower end of the trunk, which is then upright in the
            turned camera's image, so that how the camera is held does not matter either.
        channels: and what follows are arguments of :class:`MPMBackbone`.
    """

    space = "rays"

    def __init__(
        self,
        num_frames: int,
        num_keypoints: int = 17,
        ignored: Sequence[int] = (),
        upright: Trunk | None = None,
        channels: int = 256,
        hidden_channels: int = 512,
        depth: int = 4,
        num_heads: int = 8,
        drop: float = 0.1,
        attn_drop: float = 0.0,
        mlp_drop: float = 0.1,
        temporal: str = "attention",
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(
            num_frames,
            num_keypoints,
            channels,
            hidden_channels,
            depth,
            num_heads,
            inputs=("2d",),
            drop=drop,
            attn_drop=attn_drop,
            mlp_drop=mlp_drop,
            tokens_per_keypoint=True,
            temporal=temporal,
            init_cfg=init_cfg,
        )
        self.ignored, self.upright = tuple(ignored), upright
        never = torch.zeros(num_keypoints, dtype=torch.bool)
        never[list(ignored)] = True
        self.register_buffer("never_seen", never, persistent=False)

    def features_per_frame(self, name: str) -> int:
        """Keypoints, which of them are masked, the centre and the size."""
        return 3 * self.num_keypoints + 3

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Nothing: the middle of a person is at 0, where their tokens begin."""

    def forward(
        self,
        poses: Tensor,
        frame_mask: Tensor | None = None,
        keypoint_mask: Tensor | None = None,
        num_visible: int | None = None,
    ) -> PersonTokens:
        """Encode the visible frames of a window of rays (B, T, K, 2); else as :meth:`MPMBackbone.forward`."""
        name = self._check(poses, frame_mask, keypoint_mask)
        view = person_view(poses, self._masked(poses, frame_mask, keypoint_mask) | self.never_seen, self.upright)
        features = person_features(view, self.keypoint_token_2d)
        return PersonTokens(self._encode_visible(features, name, frame_mask, num_visible), view)
