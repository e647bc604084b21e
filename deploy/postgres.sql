-- The schema registry and Unleash keep their tables beside the product's and not among them.
CREATE DATABASE registry;
CREATE DATABASE unleash;
