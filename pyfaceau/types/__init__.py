"""The values that pass between stages: frozen, checked once, at construction.

Pixel coordinates everywhere: x right, y down, (0, 0) the centre of the top left pixel. Camera
space: millimetres, x right, y down, z away from the camera.
"""

from pyfaceau.types.arrays import (
    Float32 as Float32,
)
from pyfaceau.types.arrays import (
    Float64 as Float64,
)
from pyfaceau.types.arrays import (
    Int16 as Int16,
)
from pyfaceau.types.arrays import (
    Int32 as Int32,
)
from pyfaceau.types.arrays import (
    Int64 as Int64,
)
from pyfaceau.types.arrays import (
    UInt8 as UInt8,
)
from pyfaceau.types.arrays import (
    UInt16 as UInt16,
)
from pyfaceau.types.arrays import (
    UInt32 as UInt32,
)
from pyfaceau.types.face import (
    BLENDSHAPES as BLENDSHAPES,
)
from pyfaceau.types.face import (
    MESH_POINTS as MESH_POINTS,
)
from pyfaceau.types.face import (
    EyeFit as EyeFit,
)
from pyfaceau.types.face import (
    FaceBox as FaceBox,
)
from pyfaceau.types.face import (
    FaceMesh as FaceMesh,
)
from pyfaceau.types.face import (
    Landmarks68 as Landmarks68,
)
from pyfaceau.types.face import (
    ShapeFit as ShapeFit,
)
from pyfaceau.types.face import (
    TrackedFace as TrackedFace,
)
from pyfaceau.types.frame import MARKS as MARKS
from pyfaceau.types.frame import Camera as Camera
from pyfaceau.types.frame import Frame as Frame
from pyfaceau.types.reading import Reading as Reading
from pyfaceau.types.result import (
    AU_INTENSITIES as AU_INTENSITIES,
)
from pyfaceau.types.result import (
    AU_PRESENCES as AU_PRESENCES,
)
from pyfaceau.types.result import (
    MESH_UNITS as MESH_UNITS,
)
from pyfaceau.types.result import (
    SIDES as SIDES,
)
from pyfaceau.types.result import (
    SPLIT_UNITS as SPLIT_UNITS,
)
from pyfaceau.types.result import (
    AlignedFace as AlignedFace,
)
from pyfaceau.types.result import (
    AUPrediction as AUPrediction,
)
from pyfaceau.types.result import (
    FaceFeatures as FaceFeatures,
)
from pyfaceau.types.result import (
    FrameResult as FrameResult,
)
from pyfaceau.types.result import (
    Gaze as Gaze,
)
from pyfaceau.types.result import (
    HeadPose as HeadPose,
)
from pyfaceau.types.result import (
    SplitFace as SplitFace,
)
from pyfaceau.types.selection import Selection as Selection
