"""How well inference works, measured on clips that a model was not trained on."""
