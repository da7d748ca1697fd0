"""The service parcel-tracking says that it is there."""

print("parcel-tracking is there")
