"""`ignition simulate`: the files stage on an empty directory, without privileges, and assertions about the result.

The stage is the one that boots (`ignition.stages.files`). It gets a root that records owners and modes instead of setting them
(`ownership`), the accounts of an image to begin with (`base`), and a stand-in for shadow-utils (`shadow_utils`). Only for people
and CI: no stage imports it, and it is not in the initramfs.
"""
