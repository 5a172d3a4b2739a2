import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mpm_mmpose.models import PersonBackbone, PersonSequenceHead, SequenceHead
from mpm_mmpose.pose.geometry import rotated
from mpm_mmpose.pose.keypoints import H36M_17

FLIPS = list(H36M_17.flip_indices)


def sample(labels, **more):
    found = PoseDataSample(metainfo=dict(flip_indices=FLIPS))
    found.gt_instance_labels = InstanceData(lifting_target_label=labels, **more)
    return [found]


def people(frames=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = 0.4 * torch.randn(3, frames, 17, 3, generator=generator)
    return points + torch.tensor([0.3, -0.2, 4.0])


def person_model(frames=9, **options):
    torch.manual_seed(0)
    backbone = PersonBackbone(frames, channels=16, hidden_channels=32, depth=1, num_heads=2, temporal="mixer")
    head = PersonSequenceHead(frames, channels=16, **options)
    return backbone.eval(), head.eval()


def test_losses_are_what_they_say():
    head = SequenceHead(4, channels=8, velocity_weight=2.0, bone_weight=3.0)
    labels = people(4)
    poses = labels.clone()
    poses[..., 0] += 0.1  # 10 cm aside, in all frames
    losses = head.pose_losses(poses, labels, None)
    assert losses["loss_sequence"].item() == pytest.approx(0.1, abs=1e-6)
    assert losses["loss_velocity"].item() == pytest.approx(0, abs=1e-6)
    assert losses["loss_bones"].item() == pytest.approx(0, abs=1e-6)
    assert losses["mpjpe_mm"].item() == pytest.approx(100, abs=1e-3)
    poses = labels.clone()
    poses[:, 1::2, :, 0] += 0.1  # to and fro
    assert head.pose_losses(poses, labels, None)["loss_velocity"].item() == pytest.approx(0.2, abs=1e-6)
    bones = head.pose_losses(1.1 * labels, labels, None)["loss_bones"].item()
    length = torch.linalg.vector_norm(
        labels[:, :, [child for child, _ in head.bones]] - labels[:, :, [parent for _, parent in head.bones]], dim=-1
    )
    assert bones == pytest.approx(0.3 * length.mean().item(), rel=1e-4)


def test_what_does_not_count_does_not():
    head = SequenceHead(4, channels=8, bone_weight=1.0)
    labels, weights = people(4), torch.ones(3, 4, 17)
    weights[:, :, 5] = 0
    poses = labels.clone()
    poses[:, :, 5] += 9
    losses = head.pose_losses(poses, labels, weights)
    assert all(value.item() == pytest.approx(0, abs=1e-6) for value in losses.values())


def test_labels_of_one_frame_are_of_the_centre():
    head = SequenceHead(5, channels=8)
    poses = people(5)
    losses = head.pose_losses(poses, poses[:, 2:3], None)
    assert losses["loss_sequence"] == 0
    assert "loss_velocity" not in losses


def test_target_is_the_centre_of_the_sequence():
    head = SequenceHead(5, channels=8).eval()
    feats = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(head.forward_target(feats), head.forward_sequence(feats)[:, 2])
    labels = torch.zeros(2, 5, 17, 3)
    (target,) = head.predict(feats, sample(labels))
    (sequence,) = head.predict(feats, sample(labels), dict(output="sequence"))
    assert target.keypoints.shape == (2, 17, 3) and sequence.keypoints.shape == (2, 5, 17, 3)
    assert (sequence.keypoints[:, :, 0] == 0).all()
    with pytest.raises(ValueError, match="'all'; give 'target' or 'sequence'"):
        head.predict(feats, sample(labels), dict(output="all"))


def test_wrong_windows_are_refused():
    with pytest.raises(ValueError, match="num_frames=5 frames, got 4"):
        SequenceHead(5, channels=8)(torch.zeros(2, 4, 8))


def test_a_person_model_that_knows_the_pose_gives_it_back():
    """With the true pose, place and distance in the turned camera as the linear layer's numbers, poses come out."""
    backbone, head = person_model()
    points = people()
    feats = backbone(points[..., :2] / points[..., 2:])
    view = feats.view
    turned = rotated(view.rotation, points)
    root = turned[:, :, 0]
    distance = root[..., 2:]
    log = (distance * view.size[..., 0] / 0.30).log() / 0.3
    aside = (root[..., :2] / distance - view.centre[:, :, 0]) / view.size[..., 0] / 0.3
    pose = (turned - turned[:, :, :1]).flatten(2)
    numbers = torch.cat([pose, torch.zeros(3, 9, 17), aside, log], dim=-1)
    head.decode = lambda tokens: numbers
    poses, roots = head.placed(feats)
    torch.testing.assert_close(poses, points - points[:, :, :1], atol=1e-5, rtol=0)
    torch.testing.assert_close(roots, points[:, :, 0], atol=1e-5, rtol=0)


def test_a_mirrored_person_gives_a_mirrored_pose_in_flip_test():
    backbone, head = person_model()
    points = people()
    rays = points[..., :2] / points[..., 2:]
    mirrored = (rays * torch.tensor([-1.0, 1.0]))[:, :, FLIPS]
    test_cfg = dict(flip_test=True, output="sequence")
    labels = torch.zeros(3, 9, 17, 3)
    (plain,) = head.predict([backbone(rays), backbone(mirrored)], sample(labels), test_cfg)
    (other,) = head.predict([backbone(mirrored), backbone(rays)], sample(labels), test_cfg)
    back = other.keypoints[:, :, FLIPS] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(plain.keypoints, back, atol=1e-5, rtol=0)


def test_the_place_is_learned_where_it_is_known():
    backbone, head = person_model(place_weight=0.5)
    points = people()
    feats = backbone(points[..., :2] / points[..., 2:])
    labels = points - points[:, :, :1]
    _, roots = head.placed(feats)
    assert head.loss(feats, sample(labels, root_label=roots))["loss_place"].item() == pytest.approx(0, abs=1e-6)
    nearer = torch.cat([roots[..., :2], roots[..., 2:] * 1.25], dim=-1)
    # a fifth of the distance away, half of it counts
    assert head.loss(feats, sample(labels, root_label=nearer))["loss_place"].item() == pytest.approx(0.1, abs=1e-5)
    assert "loss_place" not in head.loss(feats, sample(labels))


def test_half_precision_does_not_reach_the_poses():
    backbone, head = person_model()
    rays = people()[..., :2] / 4
    with torch.autocast("cpu", dtype=torch.bfloat16):
        poses = head(backbone(rays))
    assert poses.dtype == torch.float32
    assert len(poses.unique()) > 1000  # bfloat16 has 256 numbers between 1 and 2


def test_people_of_another_size_are_the_same_people_elsewhere():
    """Larger by a factor and further away by it: on the same rays."""
    backbone, head = person_model()
    torch.nn.init.normal_(head.out.weight, std=0.05)
    points = people()
    with torch.no_grad():
        feats = backbone(points[..., :2] / points[..., 2:])
        poses, root = head.placed(feats)
        head.resize(1.3)
        larger, further = head.placed(feats)
    torch.testing.assert_close(further, 1.3 * root, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(larger, 1.3 * poses, rtol=1e-4, atol=1e-5)
