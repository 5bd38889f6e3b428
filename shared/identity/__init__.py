"""Who calls: access tokens are verified again here, whatever the edge has verified already (mode ``verify``)."""
