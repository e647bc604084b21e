-- The schema registry keeps its tables beside the product's and not among them.
CREATE DATABASE registry;
