/* property.h - names of single-value extended properties, e.g. `String {GUID} Name Colour`. */
#ifndef CALRELAY_FAKE_PROPERTY_H
#define CALRELAY_FAKE_PROPERTY_H

#include <stdbool.h>

#define PROPERTY_ID_SIZE 256

/* The id with its GUID in lower case, so that ids compare as Exchange compares them (the name with
 * case); false where it is none of `Type {GUID} Name n`, `Type {GUID} Id 0xn`, `Type 0xn`. */
bool property_normalise(const char *text, char id[PROPERTY_ID_SIZE]);

#endif
