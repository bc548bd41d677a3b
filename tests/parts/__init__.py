"""The real parts a story or the demo is made of: PostgreSQL, Kafka, the fake, our programs."""
