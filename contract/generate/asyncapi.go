package main

import (
	"encoding/json"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

type node = map[string]any

// topic of the event stream.
type topic struct {
	name, title, description string
	partitions               int
}

var topics = []topic{
	{"control", "Sources, batches, operations, verifications, access and approvals",
		"Journal partition 0, which is totally ordered: a few hundred records a batch at most, two for each export of the audit log, and a bounded number a minute for requests that were refused.", 1},
	{"documents", "Documents and listings",
		"Journal partitions 1 to 16 are Kafka's 0 to 15. All records of a stream are in one partition, in order; nothing is ordered across partitions.", domain.DocumentPartitions},
}

const delivery = "Take a record only when its sequence is the last one taken of its journal partition + 1, and ignore any other: " +
	"duplicates, and stretches that were sent again, fall to that one rule, and nothing is ever missing for good. " +
	"Keep the sequence as checkpoint and never Kafka's offset: topics may be deleted and filled again from the journal, with the same bytes and sequences. " +
	"Within a version of an event members are only added, and further values of an enumeration may come."

// asyncAPI describes the topics as a program meets them that reads Kafka.
func asyncAPI() ([]byte, error) {
	channels, operations, messages := node{}, node{}, node{}
	for _, t := range topics {
		of := node{}
		for _, name := range wire.Types() {
			if topicOf(name) == t.name {
				of[name] = reference("components/messages/" + name)
				messages[name] = message(name)
			}
		}
		channels[t.name] = t.channel(of)
		operations["publish-"+t.name] = node{
			"action": "send", "channel": reference("channels/" + t.name), "title": "The relay copies the journal to " + t.name,
			"summary": "Once and in order within a partition, as a rule; again after a failure", "description": delivery,
		}
	}
	encoded, err := json.Marshal(node{
		"asyncapi": "3.0.0",
		"info": node{
			"title": "Waybill's event stream", "version": "1.0.0", "description": "Everything that ever happened, as CloudEvents. " + delivery,
			"license": node{"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
		},
		"defaultContentType": contentType, "channels": channels, "operations": operations,
		"components": node{"messages": messages},
	})
	if err != nil {
		return nil, err
	}
	return indented(encoded)
}

const contentType = "application/cloudevents+json"

// topicOf an event, by the family that its name begins with.
func topicOf(name string) string {
	family := strings.Split(name, ".")[1]
	if domain.PartitionOf(family+"-") == domain.ControlPartition {
		return "control"
	}
	return "documents"
}

func reference(to string) node { return node{"$ref": "#/" + to} }

func (t topic) channel(messages node) node {
	return node{
		"address": "{prefix}." + t.name, "title": t.title, "description": t.description, "messages": messages,
		"parameters": node{"prefix": node{"default": "waybill", "description": "WAYBILL_KAFKA_PREFIX of the installation"}},
		"bindings": node{"kafka": node{
			"partitions": t.partitions, "bindingVersion": "0.5.0",
			"topicConfiguration": node{
				"cleanup.policy": []string{"delete"}, "retention.ms": -1, "retention.bytes": -1, "max.message.bytes": 1 << 20,
			},
		}},
	}
}

func message(name string) node {
	m := node{
		"name": name, "title": name, "contentType": contentType,
		"headers": node{
			"type": "object", "required": []string{"content-type"},
			"properties": node{"content-type": node{"const": contentType, "description": "CloudEvents' structured mode. Records that an older build sent have no headers"}},
		},
		"payload": node{"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": node{"$ref": "./schemas/" + name + ".json"}},
		"bindings": node{"kafka": node{
			"key": node{"type": "string", "description": "The stream: the subject of the record"}, "bindingVersion": "0.5.0",
		}},
	}
	if name != newestName(name) {
		m["summary"] = "No longer written; what was written stays"
	}
	return m
}
