# Counts and sizes that the kernel refuses or takes for others.
machine nodes=2 node_mem=512M kernel_args="hugepages=5 hugepages=7 hugepagesz=2M hugepages=9 hugepagesz=3M hugepages=11 hugepagesz=2048K hugepages=13 hugepages=15"
pool 2M all 6
pool 2M all 8
