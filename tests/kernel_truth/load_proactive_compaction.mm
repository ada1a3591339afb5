# kcompactd goes to work by itself where free memory is in small pieces, and stops where 20% of it is not.
# tolerance 6%
machine nodes=2 node_mem=512M,512M
sysctl vm.compaction_proactiveness 0
sysctl vm.watermark_boost_factor 0
thp enabled never
spawn p
@p policy bind:1
@p map a 440M anon
@p touch a
pool 2M node1 18
@p advise a 0 440M dontneed 8K
sleep 1000
sysctl vm.compaction_proactiveness 5
sleep 1000
sysctl vm.compaction_proactiveness 20
sleep 1000
sysctl vm.compaction_proactiveness 60
sleep 1000
sysctl vm.compaction_proactiveness 101
