# A process that ends when the CPU has allocated since its last large free leaves the lists as they are.
machine nodes=1 node_mem=1G
spawn q
spawn r
spawn p
@p map a 400M anon thp=nohugepage
@p touch a
@p advise a 0 300M dontneed
sleep 300
@q exit
@p advise a 300M 100M dontneed
@r exit
@p touch a 0 200M
@p advise a 0 200M dontneed
spawn s
@s exit
@p exit
