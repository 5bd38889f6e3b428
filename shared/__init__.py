"""The common library: mechanism only. How to call backends, fail, trace, verify and serve; no business noun, no app."""
