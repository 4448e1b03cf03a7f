"""Fine-tuning: an encoder and a linear layer, trained end to end on the labels of a domain."""
