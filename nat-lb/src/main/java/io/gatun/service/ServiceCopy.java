package io.gatun.service;

/**
 * One front as it is now. Immutable.
 *
 * @param number how flows name its Service
 * @param connections flows made for its Service since it was first seen, over all its fronts
 */
public record ServiceCopy(FrontSpec spec, int number, long connections) {}
