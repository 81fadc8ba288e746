"""Read one digit from a picture."""

import argparse
import os
import sys
import warnings
from pathlib import Path


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image_path", type=Path, help="a picture of one digit: PNG, JPEG or another usual format")
    return parser.parse_args(argv)


def load_picture(path):
    """Return the picture at `path` as a raw image, uint8 (28, 28), white on black; ValueError when it is none."""
    import numpy as np
    from PIL import Image, ImageOps

    if not path.is_file():
        raise ValueError(f"There is no picture {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = ImageOps.exif_transpose(Image.open(path))
            picture = picture.convert("RGBA")
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a picture; save it as PNG or JPEG and try again.") from error
    paper = Image.new("RGBA", picture.size, "white")
    grey = Image.alpha_composite(paper, picture).convert("L").resize((28, 28), Image.Resampling.LANCZOS)
    image = np.asarray(grey)
    return 255 - image if np.median(image) > 127 else image


def read(arguments, mh):
    image = load_picture(arguments.image_path)
    probabilities = mh.predict(mh.load_trained_cnn(), image[None])[0]
    best, second, third = probabilities.argsort()[::-1][:3]
    print(
        f"{arguments.image_path}: {best} ({probabilities[best]:.1%}), "
        f"then {second} ({probabilities[second]:.1%}) and {third} ({probabilities[third]:.1%})"
    )
    return 0


def main(argv=None):
    arguments = parse_arguments(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import mnist_helpers as mh

        return read(arguments, mh)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError) as error:
        print(f"test_model.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
