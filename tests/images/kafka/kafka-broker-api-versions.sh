#!/bin/sh
# kafka-broker-api-versions.sh - as Kafka's own of this name, for the health check in docker-compose.yml.
exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
	-cp '/opt/kafka/libs/*' org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
