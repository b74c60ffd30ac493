"""MediaPipe's Face Landmarker: faces, 478 points, 52 expression coefficients, head pose, gaze.

The way of a frame: `FaceFinder` (only when there is no track), `FaceRegion` (a turned square),
`MeshNetwork` (478 points), `Blendshapes` (52 coefficients); then `canonical` (pose), `points68`
(iBUG's points), `irises` (gaze), `units`.
"""
