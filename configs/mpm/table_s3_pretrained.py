# Study S3: pre-trained on 2D and 3D, 2D where it is in the image, as released.
_base_ = ["table_6_2d_3d.py"]
